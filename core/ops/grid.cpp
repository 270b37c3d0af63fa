#include "core/ops/grid.h"

#include <fmt/core.h>

#include <limits>
#include <vector>

#include "core/autograd/apply.h"
#include "core/ops/activation.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/index.h"
#include "core/ops/launch.h"
#include "core/ops/layout.h"
#include "core/ops/matmul.h"
#include "core/ops/promotion.h"
#include "core/ops/view.h"
#include "kernels/grid.h"

namespace tapetum {
namespace {

// The pixels' coordinates along one dimension, [n].
Tensor centres(int64_t n, bool align_corners, const Tensor& like) {
  if (n <= 1) return zeros({n}, like.dtype(), like.device());
  const double edge = align_corners ? 1 : static_cast<double>(n - 1) / static_cast<double>(n);
  return to(linspace(-edge, edge, n, like.dtype()), like.device());
}

using kernels::GridSampleArgs;

GridSampleArgs arguments(const GridSampleOptions& o, const Tensor& x, const Tensor& grid, const Tensor& y) {
  GridSampleArgs a{};
  a.shape = {.n = x.size(0),
             .c = x.size(1),
             .h = x.size(2),
             .w = x.size(3),
             .p = y.size(2),
             .q = y.size(3),
             .x_stride = {},
             .y_stride = {},
             .mode = o.mode,
             .padding = o.padding_mode,
             .align_corners = o.align_corners,
             .dtype = x.dtype()};
  for (int d = 0; d < 4; ++d) {
    a.shape.x_stride[d] = x.strides()[d];
    a.shape.y_stride[d] = y.strides()[d];
  }
  a.grid = grid.raw();
  a.x = const_cast<void*>(x.raw());
  a.y = const_cast<void*>(y.raw());
  return a;
}

// The definition in plain ops, for gradients of higher order: pixels of one dimension that are read, all inside, and their weights [N, P, Q].
struct PlainTaps {
  std::vector<Tensor> at, weight;
  void add(const Tensor& place, const Tensor& w, int64_t size) {
    const double last = static_cast<double>(size - 1);
    at.push_back(to(clamp(place.detach(), 0, last), DType::i64));
    weight.push_back(where(logical_and(place >= 0, place <= last), w, 0));
  }
};

Tensor plainly_placed(const Tensor& at, int64_t size, const GridSampleOptions& o) {
  const double last = static_cast<double>(size - 1);
  if (o.padding_mode == GridSamplePadding::zeros) return at;
  Tensor y = at;
  if (o.padding_mode == GridSamplePadding::reflection && size > 1) {
    const double low = o.align_corners ? 0 : -0.5, span = o.align_corners ? last : last + 1;
    const Tensor d = abs(at - low), flips = floor(d / span).detach(), rest = d - flips * span;
    y = where(flips - floor(flips * 0.5) * 2 == 0, rest, span - rest) + low;
  }
  return where(y > 0, where(y < last, y, last), 0);  // not clamp, whose gradient at the borders is not zero
}

PlainTaps plain_taps(const Tensor& g, int64_t size, const GridSampleOptions& o) {
  const double n = static_cast<double>(size);
  const Tensor known = where(isnan(g), -1, g);
  const Tensor at = o.align_corners ? (known + 1) * ((n - 1) / 2) : ((known + 1) * n - 1) * 0.5;
  PlainTaps taps;
  if (o.mode == GridSampleMode::bicubic) {
    constexpr double a = -0.75;
    const Tensor first = floor(at).detach(), t = at - first;
    const auto near = [](const Tensor& x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
    const auto far = [](const Tensor& x) { return (((x - 5) * x + 8) * x - 4) * a; };
    const Tensor weights[] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
    for (int k = 0; k < 4; ++k) taps.add(plainly_placed(first + (k - 1), size, o), weights[k], size);
    return taps;
  }
  const Tensor place = plainly_placed(at, size, o), first = floor(place).detach(), t = place - first;
  if (o.mode == GridSampleMode::nearest) {
    taps.add(round(place), ones_like(g.detach()), size);
  } else {
    taps.add(first, 1 - t, size);
    taps.add(first + 1, t, size);
  }
  return taps;
}

// Where channels lie innermost in the result, they do so in what is read: a copy costs less than pixels gathered from every plane.
Tensor laid_out_as(const Tensor& y, const Tensor& x) { return y.is_channels_last() ? channels_last(x) : x; }

struct GridSampleOp {
  static constexpr OpInfo info{"grid_sample", Autocast::widest};
  using Options = GridSampleOptions;
  static Tensor forward(Context&, const Options& o, const Tensor& x, const Tensor& grid) {
    Tensor y = empty_image({x.size(0), x.size(1), grid.size(1), grid.size(2)}, x.dtype(), x.device(), {x});
    const Tensor dense = contiguous(grid);
    const Tensor pixels = laid_out_as(y, x);
    launch(kernels::grid_sample_forward, x.device(), x.dtype(), arguments(o, pixels, dense, y));
    return y;
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    const Tensor x = c.saved(0), grid = contiguous(c.saved(1));
    Tensor gx, g_grid;
    if (c.needs(0)) {
      const Shape strides = gy.is_channels_last() ? channels_last_strides(x.shape()) : dense_strides_like(x);
      gx = empty_strided(x.shape(), strides, x.dtype(), x.device());
      launch(kernels::grid_sample_grad_input, x.device(), x.dtype(), arguments(o, gx, grid, gy));
    }
    if (c.needs(1) && o.mode != GridSampleMode::nearest) {  // whose steps have none
      g_grid = empty(grid.shape(), grid.dtype(), grid.device());
      const Tensor pixels = laid_out_as(gy, x);
      GridSampleArgs args = arguments(o, pixels, grid, gy);
      args.grad_grid = g_grid.mutable_raw();
      launch(kernels::grid_sample_grad_grid, x.device(), x.dtype(), args);
    }
    return {gx, g_grid};
  }
  static Tensor twin(const Options& o, const Tensor& x, const Tensor& grid) {
    const int64_t n = x.size(0), c = x.size(1), p = grid.size(1), q = grid.size(2);
    const PlainTaps rows = plain_taps(select(grid, 3, 1), x.size(2), o), columns = plain_taps(select(grid, 3, 0), x.size(3), o);
    const Tensor pixels = reshape(x, {n, c, x.size(2) * x.size(3)});
    Tensor y = zeros({n, c, p * q}, x.dtype(), x.device());
    for (size_t i = 0; i < rows.at.size(); ++i)
      for (size_t j = 0; j < columns.at.size(); ++j) {
        const Tensor at = expand(reshape(rows.at[i] * x.size(3) + columns.at[j], {n, 1, p * q}), {n, c, p * q});
        y = y + gather(pixels, 2, at) * reshape(rows.weight[i] * columns.weight[j], {n, 1, p * q});
      }
    return reshape(y, {n, c, p, q});
  }
};

}  // namespace

Tensor grid_sample(const Tensor& input, const Tensor& places, const GridSampleOptions& o) {
  const Casting cast(GridSampleOp::info.autocast, input, places);
  const Tensor x = cast(input), grid = cast(places);
  check_floating("grid_sample", x);
  check_same("grid_sample", x, grid);
  if (x.dim() != 4 || grid.dim() != 4 || x.size(0) != grid.size(0) || grid.size(3) != 2)
    throw ShapeError(fmt::format("grid_sample: expected an input [N, C, H, W] and a grid [N, P, Q, 2], got {} and {}", to_string(x.shape()),
                                 to_string(grid.shape())));
  if (x.size(2) < 1 || x.size(3) < 1 || x.size(2) * x.size(3) > std::numeric_limits<int32_t>::max())
    throw ShapeError(fmt::format("grid_sample: an image has 1 to 2^31 - 1 pixels, got {}", to_string(x.shape())));
  const DType t = kernel_type(x);
  return to(apply<GridSampleOp>(o, to(x, t), to(grid, t)), x.dtype());
}

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
