// Activations without state.
#pragma once
#include "core/ops/elementwise.h"
#include "nn/module.h"

namespace tapetum::nn {

struct ReLU : Layer {
  Tensor forward(const Tensor& x) override { return relu(x); }
};

}  // namespace tapetum::nn
