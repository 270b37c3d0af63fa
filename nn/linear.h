// x W^T + b, with PyTorch's initial values.
#pragma once
#include "nn/module.h"

namespace tapetum::nn {

struct LinearOptions {
  bool bias = true;
};

struct Linear : Layer {
  Linear(int64_t in_features, int64_t out_features, const LinearOptions& options = {});
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& x) override;  // x [N, C] -> [N, K]
  Parameter weight, bias;                    // [K, C], [K] or undefined
};

}  // namespace tapetum::nn
