// Layers that change shapes alone.
#pragma once
#include "nn/module.h"

namespace tapetum::nn {

struct Identity : Layer {
  Tensor forward(const Tensor& x) override { return x; }
};

struct FlattenOptions {
  int start_dim = 1, end_dim = -1;
};

// The dimensions from start_dim to end_dim become one.
struct Flatten : Layer {
  explicit Flatten(const FlattenOptions& options = {}) : options(options) {}
  Tensor forward(const Tensor& x) override;
  FlattenOptions options;
};

}  // namespace tapetum::nn
