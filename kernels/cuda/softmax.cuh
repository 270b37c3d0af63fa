// What the kernels of softmax and of log-softmax have in common.
#pragma once
#include "kernels/softmax.h"

namespace tapetum::kernels {
namespace {

enum class Result { probability, logarithm };

template <class Args> double softmax_error(const Args& a) { return 8 + __builtin_sqrt(static_cast<double>(a.shape.length)); }

}  // namespace
}  // namespace tapetum::kernels
