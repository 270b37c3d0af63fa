// Nothing but multiply-adds in registers, for kernels/roofline.cpp.
#pragma once
#include "kernels/slot.h"

namespace tapetum::kernels {

struct MultiplyAddArgs {
  int64_t rounds;
  double* flops;  // done, a multiply-add counted as two
};

}  // namespace tapetum::kernels
