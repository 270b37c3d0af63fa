// Pooling layers without state; options and formulas in core/ops/pool.h.
#pragma once
#include "core/ops/pool.h"
#include "nn/module.h"

namespace tapetum::nn {

struct MaxPool2d : Layer {
  explicit MaxPool2d(Size2 kernel_size, const MaxPool2dOptions& options = {}) : kernel_size(kernel_size), options(options) {}
  Tensor forward(const Tensor& x) override { return max_pool2d(x, kernel_size, options); }
  Size2 kernel_size;
  MaxPool2dOptions options;
};

struct AvgPool2d : Layer {
  explicit AvgPool2d(Size2 kernel_size, const AvgPool2dOptions& options = {}) : kernel_size(kernel_size), options(options) {}
  Tensor forward(const Tensor& x) override { return avg_pool2d(x, kernel_size, options); }
  Size2 kernel_size;
  AvgPool2dOptions options;
};

struct AdaptiveMaxPool2d : Layer {
  explicit AdaptiveMaxPool2d(Size2 size) : size(size) {}
  Tensor forward(const Tensor& x) override { return adaptive_max_pool2d(x, size); }
  Size2 size;
};

struct AdaptiveAvgPool2d : Layer {
  explicit AdaptiveAvgPool2d(Size2 size) : size(size) {}
  Tensor forward(const Tensor& x) override { return adaptive_avg_pool2d(x, size); }
  Size2 size;
};

}  // namespace tapetum::nn
