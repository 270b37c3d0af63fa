// Normalisation layers, with PyTorch's names, defaults and state.
#pragma once
#include "core/ops/norm.h"
#include "nn/module.h"

namespace tapetum::nn {

struct BatchNorm2dOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  // nullopt: the running statistics are plain averages over all batches
  bool affine = true, track_running_stats = true;
};

// Over N, H, W of x [N, C, H, W]: batch statistics in training (and where none are tracked), running ones in evaluation.
struct BatchNorm2d : Layer {
  explicit BatchNorm2d(int64_t channels, const BatchNorm2dOptions& options = {});
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  Parameter weight, bias;                                 // [C], or undefined
  Buffer running_mean, running_var, num_batches_tracked;  // [C], [C], i64 []; or undefined
  BatchNorm2dOptions options;
};

struct AffineNormOptions {
  double eps = 1e-5;
  bool affine = true;
};

// Over the last dimension of x [..., D].
struct LayerNorm : Layer {
  explicit LayerNorm(int64_t size, const AffineNormOptions& options = {});
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  Parameter weight, bias;  // [D], or undefined
  AffineNormOptions options;
};

// Over groups of neighbouring channels of each image [C, ...]; throws ShapeError unless groups divides channels.
struct GroupNorm : Layer {
  GroupNorm(int64_t groups, int64_t channels, const AffineNormOptions& options = {});
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  Parameter weight, bias;  // [C], or undefined
  int64_t groups;
  AffineNormOptions options;
};

// Over each channel of each image [C, H, W]; by default without weight and bias.
struct InstanceNorm2d : Layer {
  explicit InstanceNorm2d(int64_t channels, const AffineNormOptions& options = {.affine = false});
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  Parameter weight, bias;  // [C], or undefined
  AffineNormOptions options;
};

}  // namespace tapetum::nn
