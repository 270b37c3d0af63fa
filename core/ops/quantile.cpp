#include "core/ops/quantile.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "core/autograd/autocast.h"
#include "core/ops/activation.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/index.h"
#include "core/ops/launch.h"
#include "core/ops/reduce.h"
#include "core/ops/sort.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

enum class Nan { wins, is_left_out };

// Ranks [..., Q] of the sorted lines [..., n]. A line with a NaN, where that wins, has it as its last value.
Tensor ranks_of(const Tensor& sorted, const Tensor& q, Nan nan) {
  const int64_t n = sorted.size(-1);
  const Tensor good = logical_not(isnan(sorted));
  if (nan == Nan::is_left_out) return clamp_min(q * to(sum(good, {-1}, true) - 1, q.dtype()), 0);
  const Tensor last = full({}, static_cast<double>(n - 1), q.dtype(), q.device());
  return where(all(good, {-1}, true), q * static_cast<double>(n - 1), last);
}

Tensor at_ranks(const Tensor& sorted, const Tensor& ranks, QuantileInterpolation how) {
  const auto at = [&](const Tensor& whole) { return gather(sorted, -1, to(whole.detach(), DType::i64)); };
  switch (how) {
    case QuantileInterpolation::lower:
      return at(floor(ranks));
    case QuantileInterpolation::higher:
      return at(ceil(ranks));
    case QuantileInterpolation::nearest:
      return at(round(ranks));
    case QuantileInterpolation::midpoint:
      return lerp(at(floor(ranks)), at(ceil(ranks)), 0.5);
    case QuantileInterpolation::linear:
      break;
  }
  return lerp(at(floor(ranks)), at(ceil(ranks)), ranks - floor(ranks));
}

void check_quantile(const char* op, const Tensor& x, const Tensor& q) {
  check_floating(op, x);
  check_same(op, x, q);
  if (q.dim() > 1) throw ShapeError(fmt::format("{}: q must be [] or [Q], got {}", op, to_string(q.shape())));
  if (x.numel() == 0) throw ShapeError(fmt::format("{}: expected values, got {}", op, to_string(x.shape())));
  if (q.device().kind == DeviceKind::cpu && q.numel() && !(amin(q).item() >= 0 && amax(q).item() <= 1))
    throw Error(fmt::format("{}: q must lie in [0, 1], got {} to {}", op, amin(q).item(), amax(q).item()));
}

Tensor quantile_of(const char* op, const Tensor& input, const Tensor& places, const QuantileOptions& o, Nan nan) {
  const Casting cast(Autocast::f32);
  const Tensor x = cast(input), q = cast(places);
  check_quantile(op, x, q);
  if (size_of(x.dtype()) == 2) return to(quantile_of(op, to(x, DType::f32), to(q, DType::f32), o, nan), x.dtype());
  const Tensor values = o.dim ? x : reshape(x, {-1});
  const int dim = wrap_dim(op, o.dim.value_or(0), values.dim() ? values.dim() : 1);
  // The line last, its own dimension left as 1: [..., 1, ..., n].
  const Tensor lines = values.dim() ? transpose(unsqueeze(values, -1), dim, -1) : reshape(values, {1, 1});
  const Tensor sorted = sort(lines, -1).values;
  Shape wide = sorted.shape();
  wide[wide.size() - 1] = q.numel();
  const Tensor ranks = expand(ranks_of(sorted, reshape(q, {-1}), nan), wide);
  Tensor y = at_ranks(sorted, ranks, o.interpolation);  // [..., 1, ..., Q]
  Shape shape, order{static_cast<int64_t>(y.dim() - 1)};
  for (int d = 0; d + 1 < y.dim(); ++d) order.push_back(d);
  if (q.dim()) shape.push_back(q.numel());
  if (o.dim) {
    for (int d = 0; d < x.dim(); ++d)
      if (d != dim || o.keepdim) shape.push_back(d == dim ? 1 : x.size(d));
  } else if (o.keepdim) {
    for (int d = 0; d < x.dim(); ++d) shape.push_back(1);
  }
  return reshape(permute(y, order), shape);
}

Tensor number_like(double q, const Tensor& x) {
  if (!(q >= 0 && q <= 1)) throw Error(fmt::format("quantile: q must lie in [0, 1], got {}", q));
  return full({}, q, x.dtype(), x.device());
}

// Places [..., 1, ...] along the sorted lines. NaN stands behind all else.
Tensor middle_of(const Tensor& sorted, int dim, Nan nan) {
  const int64_t n = sorted.size(dim);
  const Tensor good = sum(logical_not(isnan(sorted)), {dim}, true);
  if (nan == Nan::wins) return where(good < n, good, (n - 1) / 2);
  return to((to(good, DType::f64) - 1) * 0.5, DType::i64);  // towards zero: 0 where there is none
}

Indexed median_of(const char* op, const Tensor& x, int dim, bool keepdim, Nan nan) {
  if (x.dim() == 0) {
    const Indexed y = median_of(op, reshape(x, {1}), dim, true, nan);
    return {reshape(y.values, {}), reshape(y.indices, {})};
  }
  const int d = wrap_dim(op, dim, x.dim());
  if (x.size(d) == 0) throw IndexError(fmt::format("{}: dimension {} of {} has no values", op, d, to_string(x.shape())));
  const Indexed sorted = sort(x, d);
  const Tensor at = middle_of(sorted.values.detach(), d, nan);
  const Tensor values = gather(sorted.values, d, at), indices = gather(sorted.indices, d, at);
  return keepdim ? Indexed{values, indices} : Indexed{squeeze(values, d), squeeze(indices, d)};
}

Tensor median_of_all(const char* op, const Tensor& x, Nan nan) {
  if (x.numel() == 0 && is_floating(x.dtype())) return full({}, std::numeric_limits<double>::quiet_NaN(), x.dtype(), x.device());
  return median_of(op, reshape(x, {-1}), 0, false, nan).values;
}

}  // namespace

Tensor quantile(const Tensor& x, const Tensor& q, const QuantileOptions& o) { return quantile_of("quantile", x, q, o, Nan::wins); }
Tensor quantile(const Tensor& x, double q, const QuantileOptions& o) { return quantile(x, number_like(q, x), o); }
Tensor nanquantile(const Tensor& x, const Tensor& q, const QuantileOptions& o) { return quantile_of("nanquantile", x, q, o, Nan::is_left_out); }
Tensor nanquantile(const Tensor& x, double q, const QuantileOptions& o) { return nanquantile(x, number_like(q, x), o); }

Indexed median(const Tensor& x, int dim, bool keepdim) { return median_of("median", x, dim, keepdim, Nan::wins); }
Indexed nanmedian(const Tensor& x, int dim, bool keepdim) { return median_of("nanmedian", x, dim, keepdim, Nan::is_left_out); }
Tensor median(const Tensor& x) { return median_of_all("median", x, Nan::wins); }
Tensor nanmedian(const Tensor& x) { return median_of_all("nanmedian", x, Nan::is_left_out); }

}  // namespace tapetum
