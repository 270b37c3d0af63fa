// Windows of images as columns and back, as layers; shapes in core/ops/fold.h.
#pragma once
#include "core/ops/fold.h"
#include "nn/module.h"

namespace tapetum::nn {

struct Unfold : Layer {
  explicit Unfold(Size2 kernel_size, const FoldOptions& options = {}) : kernel_size(kernel_size), options(options) {}
  Tensor forward(const Tensor& x) override { return unfold(x, kernel_size, options); }
  Size2 kernel_size;
  FoldOptions options;
};

struct Fold : Layer {
  Fold(Size2 output_size, Size2 kernel_size, const FoldOptions& options = {})
      : output_size(output_size), kernel_size(kernel_size), options(options) {}
  Tensor forward(const Tensor& x) override { return fold(x, output_size, kernel_size, options); }
  Size2 output_size, kernel_size;
  FoldOptions options;
};

}  // namespace tapetum::nn
