// Normalisation layers, with PyTorch's names, defaults and state. Weights begin as ones, biases as zeros.
#pragma once
#include "core/ops/norm.h"
#include "nn/affine.h"

namespace tapetum::nn {

struct BatchNorm2dOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  // nullopt: the running statistics are plain averages over all batches
  bool affine = true, track_running_stats = true;
  bool bias = true;  // of an affine layer
};

// Over N, H, W of x [N, C, H, W]: batch statistics in training (and where none are tracked), running ones in evaluation.
struct BatchNorm2d : AffineLayer {  // weight and bias [C]
  explicit BatchNorm2d(int64_t channels, const BatchNorm2dOptions& options = {});
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  Tensor forward_act(const Tensor& x, ConvActivation activation);        // activation(forward(x)) as one op; the caller minds hooks (nn/fuse.h)
  bool is_fixed() const { return !training && running_mean.defined(); }  // the statistics do not come from x
  Buffer running_mean, running_var, num_batches_tracked;                 // [C], [C], i64 []; or undefined
  BatchNorm2dOptions options;
};

struct AffineNormOptions {
  double eps = 1e-5;
  bool affine = true;
  bool bias = true;  // of an affine layer
};

// Over the last dimensions of x, whose sizes are `normalized_shape`: a number for the last one alone.
struct LayerNorm : AffineLayer {  // weight and bias of that shape
  explicit LayerNorm(const Shape& normalized_shape, const AffineNormOptions& options = {});
  explicit LayerNorm(int64_t size, const AffineNormOptions& options = {}) : LayerNorm(Shape{size}, options) {}
  Tensor forward(const Tensor& x) override;
  Shape normalized_shape;
  AffineNormOptions options;
};

// Over the channels of each pixel of x [N, C, H, W] (torchvision's LayerNorm2d).
struct LayerNorm2d : LayerNorm {  // weight and bias [C]
  explicit LayerNorm2d(int64_t channels, const AffineNormOptions& options = {}) : LayerNorm(channels, options) {}
  Tensor forward(const Tensor& x) override;
};

// Over groups of neighbouring channels of each image [C, ...]; throws ShapeError unless groups divides channels.
struct GroupNorm : AffineLayer {  // weight and bias [C]
  GroupNorm(int64_t groups, int64_t channels, const AffineNormOptions& options = {});
  Tensor forward(const Tensor& x) override;
  int64_t groups;
  AffineNormOptions options;
};

// Over each channel of each image [C, H, W]; by default without weight and bias.
struct InstanceNorm2d : AffineLayer {  // weight and bias [C]
  explicit InstanceNorm2d(int64_t channels, const AffineNormOptions& options = {.affine = false});
  Tensor forward(const Tensor& x) override;
  AffineNormOptions options;
};

// Over neighbouring channels of each place; without weights.
struct LocalResponseNorm : Layer {
  explicit LocalResponseNorm(int64_t size, const LocalResponseNormOptions& options = {}) : size(size), options(options) {}
  Tensor forward(const Tensor& x) override { return local_response_norm(x, size, options); }
  int64_t size;
  LocalResponseNormOptions options;
};

}  // namespace tapetum::nn
