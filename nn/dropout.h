// Layers that drop at random in training, and pass on their input in evaluation.
#pragma once
#include "core/ops/random.h"
#include "nn/module.h"

namespace tapetum::nn {

// Elements, with probability p; the others grow by 1 / (1 - p).
struct Dropout : Layer {
  explicit Dropout(double p = 0.5) : p(p) {}
  Tensor forward(const Tensor& x) override { return dropout(x, p, training); }
  double p;
};

// Whole channels of [N, C, ...].
struct Dropout2d : Layer {
  explicit Dropout2d(double p = 0.5) : p(p) {}
  Tensor forward(const Tensor& x) override { return dropout2d(x, p, training); }
  double p;
};

// Whole samples: the residual branch is left out (stochastic depth).
struct DropPath : Layer {
  explicit DropPath(double p = 0) : p(p) {}
  Tensor forward(const Tensor& x) override { return drop_path(x, p, training); }
  double p;
};

}  // namespace tapetum::nn
