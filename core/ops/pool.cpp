#include "core/ops/pool.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "core/autograd/apply.h"
#include "core/ops/creation.h"
#include "core/ops/launch.h"
#include "core/ops/layout.h"
#include "kernels/pool.h"

namespace tapetum {
namespace {

using kernels::PoolAxis;

// What the three ops of the family share: windows of both dimensions. kernel 0 means adaptive.
struct WindowOptions {
  Size2 in, out, kernel, stride, padding, dilation;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("in", s.in);
    v("out", s.out);
    v("kernel", s.kernel);
    v("stride", s.stride);
    v("padding", s.padding);
    v("dilation", s.dilation);
  }
};

kernels::MaxPool2dArgs arguments(const WindowOptions& o, const Tensor& x, const Tensor& y, const Tensor& index) {
  kernels::MaxPool2dArgs a{};
  auto& z = a.shape;
  z.n = x.size(0);
  z.c = x.size(1);
  z.h = {o.in.h, o.out.h, o.kernel.h, o.stride.h, o.padding.h, o.dilation.h};
  z.w = {o.in.w, o.out.w, o.kernel.w, o.stride.w, o.padding.w, o.dilation.w};
  std::copy(x.strides().begin(), x.strides().end(), z.x_stride);
  std::copy(y.strides().begin(), y.strides().end(), z.y_stride);
  std::copy(index.strides().begin(), index.strides().end(), z.index_stride);
  z.dtype = x.dtype();
  a.x = const_cast<void*>(x.raw());
  a.y = const_cast<void*>(y.raw());
  a.index = static_cast<int32_t*>(const_cast<void*>(index.raw()));
  return a;
}

Tensor gather(const Tensor& x, const Tensor& index, const WindowOptions& o);
Tensor scatter(const Tensor& gy, const Tensor& index, const WindowOptions& o);

struct MaxPool2dOp {
  static constexpr OpInfo info{"max_pool2d"};
  using Options = WindowOptions;
  using Outputs = std::array<Tensor, 2>;
  static Outputs forward(Context& c, const Options& o, const Tensor& x) {
    const Shape shape{x.size(0), x.size(1), o.out.h, o.out.w};
    const Tensor y = empty_image(shape, x.dtype(), x.device(), {x}), index = empty_image(shape, DType::i32, x.device(), {x});
    launch(kernels::max_pool2d_forward, x.device(), x.dtype(), arguments(o, x, y, index));
    c.save(index);
    return {y, index};
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) { return {scatter(gy, c.saved(0), o)}; }
};

// The values at the saved places, and its adjoint: each is the other's gradient.
struct MaxPool2dGatherOp {
  static constexpr OpInfo info{"max_pool2d_gather"};
  using Options = WindowOptions;
  static Tensor forward(Context& c, const Options& o, const Tensor& x, const Tensor& index) {
    c.save(index);
    const Tensor y = empty_image(index.shape(), x.dtype(), x.device(), {x});
    launch(kernels::max_pool2d_gather, x.device(), x.dtype(), arguments(o, x, y, index));
    return y;
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) { return {scatter(gy, c.saved(0), o), Tensor()}; }
};

struct MaxPool2dScatterOp {
  static constexpr OpInfo info{"max_pool2d_scatter"};
  using Options = WindowOptions;
  static Tensor forward(Context& c, const Options& o, const Tensor& gy, const Tensor& index) {
    c.save(index);
    const Tensor gx = empty_image({gy.size(0), gy.size(1), o.in.h, o.in.w}, gy.dtype(), gy.device(), {gy});
    launch(kernels::max_pool2d_scatter, gy.device(), gy.dtype(), arguments(o, gx, gy, index));
    return gx;
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& g) { return {gather(g, c.saved(0), o), Tensor()}; }
};

Tensor gather(const Tensor& x, const Tensor& index, const WindowOptions& o) { return apply<MaxPool2dGatherOp>(o, x, index); }
Tensor scatter(const Tensor& gy, const Tensor& index, const WindowOptions& o) { return apply<MaxPool2dScatterOp>(o, gy, index); }

void check_plane(const char* op, const Tensor& x) {
  if (x.dim() != 4 || x.size(1) == 0 || x.size(2) == 0 || x.size(3) == 0)
    throw ShapeError(fmt::format("{}: expected [N, C, H, W] with C, H, W > 0, got {}", op, to_string(x.shape())));
  if (x.size(2) * x.size(3) > std::numeric_limits<int32_t>::max())
    throw ShapeError(fmt::format("{}: a plane has at most 2^31 - 1 elements, got {}", op, to_string(x.shape())));
}

int64_t output_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode) {
  const int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1;
  if (room < 0) return 0;
  const int64_t out = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  return ceil_mode && (out - 1) * stride >= in + padding ? out - 1 : out;
}

std::array<Tensor, 2> pool(const Tensor& x, const MaxPool2dOptions& o) {
  check_plane("max_pool2d", x);
  const Size2 stride = o.stride == Size2(0) ? o.kernel : o.stride;
  for (const auto& [kernel, step, padding, dilation] :
       {std::array{o.kernel.h, stride.h, o.padding.h, o.dilation.h}, std::array{o.kernel.w, stride.w, o.padding.w, o.dilation.w}})
    if (kernel < 1 || step < 1 || dilation < 1 || padding < 0 || padding > (dilation * (kernel - 1) + 1) / 2)
      throw ShapeError(
          fmt::format("max_pool2d: kernel, stride and dilation must be positive, padding at most half the dilated kernel, got {}", to_string(o)));
  const Size2 in{x.size(2), x.size(3)};
  const Size2 out{output_size(in.h, o.kernel.h, stride.h, o.padding.h, o.dilation.h, o.ceil_mode),
                  output_size(in.w, o.kernel.w, stride.w, o.padding.w, o.dilation.w, o.ceil_mode)};
  if (out.h < 1 || out.w < 1) throw ShapeError(fmt::format("max_pool2d: no window fits into the input {} ({})", to_string(x.shape()), to_string(o)));
  return apply<MaxPool2dOp>({in, out, o.kernel, stride, o.padding, o.dilation}, x);
}

std::array<Tensor, 2> adaptive_pool(const Tensor& x, Size2 size) {
  check_plane("adaptive_max_pool2d", x);
  if (size.h < 1 || size.w < 1) throw ShapeError(fmt::format("adaptive_max_pool2d: size must be positive, got [{}, {}]", size.h, size.w));
  return apply<MaxPool2dOp>({{x.size(2), x.size(3)}, size, 0, 1, 0, 1}, x);
}

std::array<Tensor, 2> with_wide_indices(const std::array<Tensor, 2>& r) { return {r[0], to(r[1], DType::i64)}; }

}  // namespace

Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options) { return pool(x, options)[0]; }
std::array<Tensor, 2> max_pool2d_with_indices(const Tensor& x, const MaxPool2dOptions& options) { return with_wide_indices(pool(x, options)); }
Tensor adaptive_max_pool2d(const Tensor& x, Size2 size) { return adaptive_pool(x, size)[0]; }
std::array<Tensor, 2> adaptive_max_pool2d_with_indices(const Tensor& x, Size2 size) { return with_wide_indices(adaptive_pool(x, size)); }

}  // namespace tapetum
