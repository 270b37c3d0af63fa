// Layers that change the size of images; options and formulas in core/ops/resize.h.
#pragma once
#include "core/ops/resize.h"
#include "nn/module.h"

namespace tapetum::nn {

// Upsample({.scale_factor = 2, .mode = Interpolation::bilinear})
struct Upsample : Layer {
  explicit Upsample(const InterpolateOptions& options) : options(options) {}
  Tensor forward(const Tensor& x) override { return interpolate(x, options); }
  InterpolateOptions options;
};

struct PixelShuffle : Layer {
  explicit PixelShuffle(int64_t factor) : factor(factor) {}
  Tensor forward(const Tensor& x) override { return pixel_shuffle(x, factor); }
  int64_t factor;
};

struct PixelUnshuffle : Layer {
  explicit PixelUnshuffle(int64_t factor) : factor(factor) {}
  Tensor forward(const Tensor& x) override { return pixel_unshuffle(x, factor); }
  int64_t factor;
};

}  // namespace tapetum::nn
