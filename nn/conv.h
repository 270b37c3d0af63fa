// Convolutions, with PyTorch's names, defaults and initial values.
#pragma once
#include "core/ops/conv.h"
#include "nn/module.h"

namespace tapetum::nn {

struct Conv2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;
  bool bias = true;
};

struct Conv2d : Layer {
  Conv2d(int64_t in_channels, int64_t out_channels, Size2 kernel_size, const Conv2dOptions& options = {});
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& x) override;  // x [N, C, H, W] -> [N, K, P, Q]
  Parameter weight, bias;                    // [K, C, R, S], [K] or undefined
  Conv2dOptions options;
};

}  // namespace tapetum::nn
