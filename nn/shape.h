// Layers that change shapes alone.
#pragma once
#include "core/ops/view.h"
#include "nn/module.h"

namespace tapetum::nn {

struct Identity : Layer {
  Tensor forward(const Tensor& x) override { return x; }
};

// The dimensions from start_dim to end_dim become one.
struct Flatten : Layer {
  explicit Flatten(int start_dim = 1, int end_dim = -1) : start_dim(start_dim), end_dim(end_dim) {}
  Tensor forward(const Tensor& x) override { return flatten(x, start_dim, end_dim); }
  int start_dim, end_dim;
};

// One dimension becomes several; one of the sizes may be -1.
struct Unflatten : Layer {
  Unflatten(int dim, const Shape& sizes) : dim(dim), sizes(sizes) {}
  Tensor forward(const Tensor& x) override { return unflatten(x, dim, sizes); }
  int dim;
  Shape sizes;
};

// Dimension i of the result is dimension order[i].
struct Permute : Layer {
  explicit Permute(const Shape& order) : order(order) {}
  Tensor forward(const Tensor& x) override { return permute(x, order); }
  Shape order;
};

}  // namespace tapetum::nn
