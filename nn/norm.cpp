#include "nn/norm.h"

#include <fmt/core.h>

#include "core/autograd/recompute.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/view.h"

namespace tapetum::nn {
namespace {

template <class O> void start(AffineLayer& layer, const Shape& shape, const O& o) {
  if (o.affine) layer.weight = Parameter(ones(shape));
  if (o.affine && o.bias) layer.bias = Parameter(zeros(shape));
}

}  // namespace

BatchNorm2d::BatchNorm2d(int64_t channels, const BatchNorm2dOptions& o) : options(o) {
  start(*this, {channels}, o);
  if (o.track_running_stats) {
    running_mean = Buffer(zeros({channels}));
    running_var = Buffer(ones({channels}));
    num_batches_tracked = Buffer(zeros({}, DType::i64));
  }
}

void BatchNorm2d::visit(Visitor& v) {
  AffineLayer::visit(v);
  v.buffer("running_mean", running_mean);
  v.buffer("running_var", running_var);
  v.buffer("num_batches_tracked", num_batches_tracked);
}

Tensor BatchNorm2d::forward(const Tensor& x) { return forward_act(x, ConvActivation::none); }

Tensor BatchNorm2d::forward_act(const Tensor& x, ConvActivation activation) {
  if (x.dim() != 4) throw ShapeError(fmt::format("BatchNorm2d: expected [N, C, H, W], got {}", to_string(x.shape())));
  const bool batch = !is_fixed();
  double momentum = options.momentum.value_or(0);
  if (training && running_mean.defined() && !recomputing) {
    add_(num_batches_tracked, ones({}, DType::i64, num_batches_tracked.device()));
    if (!options.momentum) momentum = 1 / num_batches_tracked.item();
  }
  const BatchNormOptions o{.training = batch, .momentum = momentum, .eps = options.eps};
  return activation == ConvActivation::none ? batch_norm(x, running_mean, running_var, weight, bias, o)
                                            : batch_norm_act(x, running_mean, running_var, weight, bias, activation, o);
}

LayerNorm::LayerNorm(const Shape& shape, const AffineNormOptions& o) : normalized_shape(shape), options(o) { start(*this, shape, o); }

Tensor LayerNorm::forward(const Tensor& x) { return layer_norm(x, normalized_shape, weight, bias, {.eps = options.eps}); }

Tensor LayerNorm2d::forward(const Tensor& x) {
  if (x.dim() != 4) throw ShapeError(fmt::format("LayerNorm2d: expected [N, C, H, W], got {}", to_string(x.shape())));
  return permute(LayerNorm::forward(permute(x, {0, 2, 3, 1})), {0, 3, 1, 2});
}

GroupNorm::GroupNorm(int64_t groups, int64_t channels, const AffineNormOptions& o) : groups(groups), options(o) {
  if (groups < 1 || channels % groups) throw ShapeError(fmt::format("GroupNorm: {} groups must divide {} channels", groups, channels));
  start(*this, {channels}, o);
}

Tensor GroupNorm::forward(const Tensor& x) { return group_norm(x, groups, weight, bias, {.eps = options.eps}); }

InstanceNorm2d::InstanceNorm2d(int64_t channels, const AffineNormOptions& o) : options(o) { start(*this, {channels}, o); }

Tensor InstanceNorm2d::forward(const Tensor& x) { return instance_norm(x, weight, bias, {.eps = options.eps}); }

}  // namespace tapetum::nn
