#include "nn/norm.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"

namespace tapetum::nn {
namespace {

// Weights begin as ones, biases as zeros: undefined where they are not wanted.
Parameter initial(bool wanted, int64_t size, double value) { return wanted ? Parameter(full({size}, value)) : Parameter(); }

}  // namespace

BatchNorm2d::BatchNorm2d(int64_t channels, const BatchNorm2dOptions& o)
    : weight(initial(o.affine, channels, 1)), bias(initial(o.affine, channels, 0)), options(o) {
  if (o.track_running_stats) {
    running_mean = Buffer(zeros({channels}));
    running_var = Buffer(ones({channels}));
    num_batches_tracked = Buffer(zeros({}, DType::i64));
  }
}

void BatchNorm2d::visit(Visitor& v) {
  v.parameter("weight", weight);
  v.parameter("bias", bias);
  v.buffer("running_mean", running_mean);
  v.buffer("running_var", running_var);
  v.buffer("num_batches_tracked", num_batches_tracked);
}

Tensor BatchNorm2d::forward(const Tensor& x) {
  if (x.dim() != 4) throw ShapeError(fmt::format("BatchNorm2d: expected [N, C, H, W], got {}", to_string(x.shape())));
  const bool batch = training || !running_mean.defined();
  double momentum = options.momentum.value_or(0);
  if (training && running_mean.defined()) {
    add_(num_batches_tracked, ones({}, DType::i64, num_batches_tracked.device()));
    if (!options.momentum) momentum = 1 / num_batches_tracked.item();
  }
  return batch_norm(x, weight, bias, running_mean, running_var, {.training = batch, .momentum = momentum, .epsilon = options.eps});
}

LayerNorm::LayerNorm(int64_t size, const AffineNormOptions& o) : weight(initial(o.affine, size, 1)), bias(initial(o.affine, size, 0)), options(o) {}

void LayerNorm::visit(Visitor& v) {
  v.parameter("weight", weight);
  v.parameter("bias", bias);
}

Tensor LayerNorm::forward(const Tensor& x) { return layer_norm(x, weight, bias, {.epsilon = options.eps}); }

GroupNorm::GroupNorm(int64_t groups, int64_t channels, const AffineNormOptions& o)
    : weight(initial(o.affine, channels, 1)), bias(initial(o.affine, channels, 0)), groups(groups), options(o) {
  if (groups < 1 || channels % groups) throw ShapeError(fmt::format("GroupNorm: {} groups must divide {} channels", groups, channels));
}

void GroupNorm::visit(Visitor& v) {
  v.parameter("weight", weight);
  v.parameter("bias", bias);
}

Tensor GroupNorm::forward(const Tensor& x) { return group_norm(x, groups, weight, bias, {.epsilon = options.eps}); }

InstanceNorm2d::InstanceNorm2d(int64_t channels, const AffineNormOptions& o)
    : weight(initial(o.affine, channels, 1)), bias(initial(o.affine, channels, 0)), options(o) {}

void InstanceNorm2d::visit(Visitor& v) {
  v.parameter("weight", weight);
  v.parameter("bias", bias);
}

Tensor InstanceNorm2d::forward(const Tensor& x) { return instance_norm(x, weight, bias, {.epsilon = options.eps}); }

}  // namespace tapetum::nn
