// x W^T + b, with PyTorch's initial values.
#pragma once
#include "nn/affine.h"

namespace tapetum::nn {

struct LinearOptions {
  bool bias = true;
};

// weight [K, C], bias [K]
struct Linear : AffineLayer {
  Linear(int64_t in_features, int64_t out_features, const LinearOptions& options = {});
  Tensor forward(const Tensor& x) override;  // x [..., C] -> [..., K]
};

}  // namespace tapetum::nn
