#include "core/ops/distance.h"

#include <fmt/core.h>

#include "core/autograd/autocast.h"
#include "core/ops/activation.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/matmul.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

Tensor by_product(const Tensor& a, const Tensor& b) {
  const Tensor lengths = sum(square(a), {-1}, true) + transpose(sum(square(b), {-1}, true), -2, -1);
  const Tensor squares = lengths - matmul(a, transpose(b, -2, -1)) * 2;
  const Tensor together = squares <= 0;  // rounding can make it negative
  return where(together, 0, sqrt(where(together, 1, squares)));
}

}  // namespace

Tensor cdist(const Tensor& x1, const Tensor& x2, const CdistOptions& o) {
  const Casting cast(Autocast::f32);
  const Tensor a = cast(x1), b = cast(x2);
  check_floating("cdist", a);
  check_same("cdist", a, b);
  if (a.dim() < 2 || b.dim() < 2 || a.size(-1) != b.size(-1))
    throw ShapeError(fmt::format("cdist: expected [..., P, M] and [..., R, M], got {} and {}", to_string(a.shape()), to_string(b.shape())));
  if (!(o.p >= 0)) throw Error(fmt::format("cdist: p must not be negative, got {}", o.p));
  if (size_of(a.dtype()) == 2) return to(cdist(to(a, DType::f32), to(b, DType::f32), o), a.dtype());
  const bool large = a.size(-2) > 25 || b.size(-2) > 25;
  if (o.p == 2 && (o.compute_mode == CdistMode::product || (o.compute_mode == CdistMode::large && large))) return by_product(a, b);
  if (a.size(-1) == 0) return sum(unsqueeze(a, -2) * unsqueeze(b, -3), {-1});  // no coordinates: zeros
  return norm(unsqueeze(a, -2) - unsqueeze(b, -3), o.p, {-1});
}

Tensor pairwise_distance(const Tensor& a, const Tensor& b, const PairwiseDistanceOptions& o) {
  check_floating("pairwise_distance", a);
  check_same("pairwise_distance", a, b);
  return norm(a - b + o.eps, o.p, {-1}, o.keepdim);
}

}  // namespace tapetum
