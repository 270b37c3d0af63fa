#include "core/ops/grid.h"

#include <fmt/core.h>

#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/matmul.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

// The pixels' coordinates along one dimension, [n].
Tensor centres(int64_t n, bool align_corners, const Tensor& like) {
  if (n <= 1) return zeros({n}, like.dtype(), like.device());
  const double edge = align_corners ? 1 : static_cast<double>(n - 1) / static_cast<double>(n);
  return to(linspace(-edge, edge, n, like.dtype()), like.device());
}

}  // namespace

Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners) {
  check_floating("affine_grid", theta);
  if (theta.dim() != 3 || theta.size(1) != 2 || theta.size(2) != 3 || size.size() != 4 || size[0] != theta.size(0) || size[2] < 1 || size[3] < 1)
    throw ShapeError(fmt::format("affine_grid: expected theta [N, 2, 3] and a size {{N, C, H, W}} with H, W > 0, got {} and {}",
                                 to_string(theta.shape()), to_string(size)));
  const int64_t n = size[0], h = size[2], w = size[3];
  const Tensor x = expand(reshape(centres(w, align_corners, theta), {1, w}), {h, w}),
               y = expand(reshape(centres(h, align_corners, theta), {h, 1}), {h, w});
  const Tensor places = reshape(stack({x, y, ones_like(x)}, -1), {h * w, 3});
  return reshape(matmul(places, transpose(theta, 1, 2)), {n, h, w, 2});
}

}  // namespace tapetum
