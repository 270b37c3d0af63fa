// Losses, with PyTorch's names, defaults and reductions; all are differentiable to any order in their input.
#pragma once
#include "core/tensor.h"
#include "kernels/reduction.h"

namespace tapetum {

struct CrossEntropyOptions {
  Tensor weight = {};  // [C]: a factor per class
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;  // in [0, 1]: this share of the target is spread evenly over the classes
};

// -log softmax(input)[target], over dimension 1 of input [N, C, d1, ...] or of [C]. The target is either
//   classes, i64 or i32 [N, d1, ...] in [0, C) or ignore_index: ignored ones count for nothing, the mean divides by the sum of the others'
//   weights (so it is NaN where all are ignored); any other value throws IndexError; or
//   probabilities, of input's shape: the mean divides by N d1 ...
Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options = {});

struct NllLossOptions {
  Tensor weight = {};
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
};

// -input[target]: cross_entropy of what are log-probabilities already.
Tensor nll_loss(const Tensor& input, const Tensor& target, const NllLossOptions& options = {});

}  // namespace tapetum
