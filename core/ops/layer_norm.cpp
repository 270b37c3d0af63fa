// Normalisation along whole dimensions: layer norm, and vectors made of length one.
#include <fmt/core.h>

#include "core/autograd/apply.h"
#include "core/ops/activation.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/norm.h"
#include "core/ops/promotion.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"
#include "kernels/norm.h"

namespace tapetum {
namespace {

struct LayerNormOp {
  static constexpr OpInfo info{"layer_norm", Autocast::f32};
  struct Options {
    Shape normalized_shape;
    double eps;
    template <class S, class V> static void fields(S& s, V&& v) {
      v("normalized_shape", s.normalized_shape);
      v("eps", s.eps);
    }
  };

  static kernels::LayerNormShape shape_of(const Options& o, const Tensor& x) {
    const int64_t columns = o.normalized_shape.numel();
    return {columns ? x.numel() / columns : 0, columns, x.dtype()};
  }

  static Tensor forward(Context&, const Options& o, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const Tensor dense = contiguous(x), w = dense_or_none(weight), b = dense_or_none(bias);
    Tensor y = empty(x.shape(), x.dtype(), x.device());
    launch(kernels::layer_norm_forward, x.device(), x.dtype(),
           {shape_of(o, x), o.eps, dense.raw(), data_or_null(w), data_or_null(b), y.mutable_raw()});
    return y;
  }

  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    const Tensor x = contiguous(c.saved(0)), w = dense_or_none(c.saved(1)), g = contiguous(gy);
    const auto result = [&](size_t i, const Shape& shape) { return c.needs(i) ? empty(shape, x.dtype(), x.device()) : Tensor(); };
    const auto out = [](const Tensor& t) { return const_cast<void*>(data_or_null(t)); };
    const Tensor gx = result(0, x.shape()), gw = result(1, o.normalized_shape), gb = result(2, o.normalized_shape);
    launch(kernels::layer_norm_backward, x.device(), x.dtype(),
           {shape_of(o, x), o.eps, x.raw(), data_or_null(w), g.raw(), out(gx), out(gw), out(gb)});
    return {gx, gw, gb};
  }

  static Tensor twin(const Options& o, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    Shape last;
    for (int d = -o.normalized_shape.size(); d < 0; ++d) last.push_back(d);
    const Tensor wide = to(x, compute_type(x.dtype())), centred = wide - mean(wide, last, true);
    Tensor y = centred / sqrt(mean(centred * centred, last, true) + o.eps);
    if (weight.defined()) y = y * weight;
    return to(bias.defined() ? y + bias : y, x.dtype());
  }
};

bool ends_with(const Shape& shape, const Shape& end) {
  bool same = end.size() > 0 && end.size() <= shape.size();
  for (int d = 1; d <= end.size() && same; ++d) same = shape[shape.size() - d] == end[end.size() - d];
  return same;
}

}  // namespace

Tensor layer_norm(const Tensor& input, const Shape& normalized_shape, const Tensor& factors, const Tensor& shifts, const LayerNormOptions& options) {
  const Casting cast(LayerNormOp::info.autocast);
  const Tensor x = cast(input), weight = cast(factors), bias = cast(shifts);
  check_floating("layer_norm", x);
  if (!ends_with(x.shape(), normalized_shape))
    throw ShapeError(fmt::format("layer_norm: input must end in {}, got {}", to_string(normalized_shape), to_string(x.shape())));
  if (const DType t = kernel_type(x); t != x.dtype()) {
    const auto widened = [&](const Tensor& v) { return v.defined() ? to(v, t) : v; };
    return to(layer_norm(widened(x), normalized_shape, widened(weight), widened(bias), options), x.dtype());
  }
  for (const Tensor* t : {&weight, &bias}) {
    if (!t->defined()) continue;
    check_same("layer_norm", x, *t);
    if (!(t->shape() == normalized_shape))
      throw ShapeError(fmt::format("layer_norm: weight and bias must be {}, got {} (input {})", to_string(normalized_shape), to_string(t->shape()),
                                   to_string(x.shape())));
  }
  return apply<LayerNormOp>({normalized_shape, options.eps}, x, weight, bias);
}

Tensor normalize(const Tensor& x, const NormalizeOptions& o) {
  const Tensor length = norm(x, o.p, {wrap_dim("normalize", o.dim, x.dim())}, true);
  return x / clamp_min(length, o.eps);
}

Tensor local_response_norm(const Tensor& x, int64_t size, const LocalResponseNormOptions& o) {
  check_floating("local_response_norm", x);
  if (x.dim() < 3 || size < 1)
    throw ShapeError(fmt::format("local_response_norm: expected [N, C, ...] of 3 or more dimensions and a positive size, got {} and {}",
                                 to_string(x.shape()), size));
  if (size_of(x.dtype()) == 2) return to(local_response_norm(to(x, DType::f32), size, o), x.dtype());
  const int64_t channels = x.size(1);
  Shape wide = x.shape();
  wide[1] += size - 1;
  const Tensor squares = slice_backward(square(x), wide, 1, size / 2, 1);  // zeros around
  Tensor window = slice(squares, 1, 0, channels);
  for (int64_t i = 1; i < size; ++i) window = window + slice(squares, 1, i, i + channels);
  return x / pow(window * (o.alpha / static_cast<double>(size)) + o.k, o.beta);
}

Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, const CosineSimilarityOptions& o) {
  const Casting cast(Autocast::f32);
  const Tensor a = cast(x1), b = cast(x2);
  const Shape shape = broadcast("cosine_similarity", a.shape(), b.shape());
  const int dim = wrap_dim("cosine_similarity", o.dim, shape.size());
  const auto length = [&](const Tensor& x) { return clamp_min(norm(x, 2, {dim}), o.eps); };
  const Tensor u = expand(a, shape), v = expand(b, shape);
  return sum(u * v, {dim}) / (length(u) * length(v));
}

}  // namespace tapetum
