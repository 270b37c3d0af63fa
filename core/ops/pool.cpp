#include "core/ops/pool.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "core/autograd/apply.h"
#include "core/ops/batched.h"
#include "core/ops/creation.h"
#include "core/ops/launch.h"
#include "core/ops/layout.h"
#include "core/ops/promotion.h"
#include "core/ops/resample.h"
#include "kernels/pool.h"

namespace tapetum {
namespace {

using kernels::PoolAxis;

// The windows of both dimensions. kernel 0: adaptive.
struct WindowOptions {
  Size2 in, out, kernel, stride, padding, dilation;
  PoolAxis h() const { return {in.h, out.h, kernel.h, stride.h, padding.h, dilation.h}; }
  PoolAxis w() const { return {in.w, out.w, kernel.w, stride.w, padding.w, dilation.w}; }
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
  z.h = o.h();
  z.w = o.w();
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
  check_floating(op, x);
  if (x.dim() != 4 || x.size(1) == 0 || x.size(2) == 0 || x.size(3) == 0)
    throw ShapeError(fmt::format("{}: expected [N, C, H, W] or [C, H, W] with C, H, W > 0, got {}", op, to_string(x.shape())));
  if (x.size(2) * x.size(3) > std::numeric_limits<int32_t>::max())
    throw ShapeError(fmt::format("{}: a plane has at most 2^31 - 1 elements, got {}", op, to_string(x.shape())));
}

// The windows of one dimension; throws where none can be.
PoolAxis window_axis(const char* op, const Tensor& x, int d, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode) {
  const int64_t in = x.size(d), step = stride == 0 ? kernel : stride, reach = dilation * (kernel - 1) + 1;
  const auto given = [&] {
    return fmt::format("kernel {}, stride {}, padding {}, dilation {} along dimension {} of {}", kernel, step, padding, dilation, d,
                       to_string(x.shape()));
  };
  if (kernel < 1 || step < 1 || dilation < 1 || padding < 0 || padding > reach / 2)
    throw ShapeError(fmt::format("{}: kernel, stride and dilation must be positive, padding at most half the dilated kernel, got {}", op, given()));
  const int64_t room = in + 2 * padding - reach + (ceil_mode ? step - 1 : 0);
  if (room < 0) throw ShapeError(fmt::format("{}: no window fits, got {}", op, given()));
  const int64_t out = room / step + 1;
  const bool outside = ceil_mode && (out - 1) * step >= in + padding;  // the last window would begin behind the end
  return {in, outside ? out - 1 : out, kernel, step, padding, dilation};
}

PoolAxis adaptive_axis(const char* op, const Tensor& x, int d, int64_t out) {
  if (out < 1) throw ShapeError(fmt::format("{}: sizes must be positive, got {} for dimension {} of {}", op, out, d, to_string(x.shape())));
  return {x.size(d), out, 0, 1, 0, 1};
}

WindowOptions windows(const PoolAxis& h, const PoolAxis& w) {
  return {{h.in, w.in}, {h.out, w.out}, {h.size, w.size}, {h.stride, w.stride}, {h.padding, w.padding}, {h.dilation, w.dilation}};
}
WindowOptions adaptive_windows(const char* op, const Tensor& x, Size2 size) {
  check_plane(op, x);
  return windows(adaptive_axis(op, x, 2, size.h), adaptive_axis(op, x, 3, size.w));
}

// The places are i32.
Indexed pool(const Tensor& x, const WindowOptions& o) {
  const auto [y, index] = apply<MaxPool2dOp>(o, x);
  return {y, index};
}

Indexed pool(const Tensor& x, Size2 kernel_size, const MaxPool2dOptions& o) {
  return batched(x, [&](const Tensor& b) {
    check_plane("max_pool2d", b);
    return pool(b, windows(window_axis("max_pool2d", b, 2, kernel_size.h, o.stride.h, o.padding.h, o.dilation.h, o.ceil_mode),
                           window_axis("max_pool2d", b, 3, kernel_size.w, o.stride.w, o.padding.w, o.dilation.w, o.ceil_mode)));
  });
}

Indexed adaptive_pool(const Tensor& x, Size2 size) {
  return batched(x, [&](const Tensor& b) { return pool(b, adaptive_windows("adaptive_max_pool2d", b, size)); });
}

Indexed with_wide_indices(const Indexed& r) { return {r.values, to(r.indices, DType::i64)}; }

// Averages: each output weighs the elements of its window alike.
struct AverageOptions {
  WindowOptions windows;
  bool count_include_pad;
  int64_t divisor_override;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("windows", s.windows);
    v("count_include_pad", s.count_include_pad);
    v("divisor_override", s.divisor_override);
  }
};

// What the number of elements along one dimension contributes to the divisor.
int64_t counted(const PoolAxis& axis, int64_t p, bool with_padding) {
  if (!with_padding || axis.size == 0) return axis.end(p) - axis.begin(p);
  const int64_t begin = p * axis.stride - axis.padding, past = axis.in + axis.padding;
  return std::min(begin + axis.size, past) - begin;
}

struct AveragePoolRule {
  static constexpr OpInfo info{"avg_pool2d"}, adjoint{"avg_pool2d_adjoint"};
  using Options = AverageOptions;
  // divisor 0: the number of elements
  static SparseRows matrix(const PoolAxis& axis, bool with_padding, int64_t divisor) {
    SparseRows m{axis.in};
    for (int64_t p = 0; p < axis.out; ++p) {
      const int64_t divide_by = divisor > 0 ? divisor : counted(axis, p, with_padding);
      for (int64_t i = axis.begin(p); i < axis.end(p); ++i) m.add(i, 1 / static_cast<double>(divide_by));
      m.end_row();
    }
    return m;
  }
  static SparseRows rows(const Options& o) { return matrix(o.windows.h(), o.count_include_pad, o.divisor_override); }
  static SparseRows columns(const Options& o) { return matrix(o.windows.w(), o.count_include_pad, o.divisor_override > 0 ? 1 : 0); }
};

Tensor average(const Tensor& x, const AverageOptions& o) { return to(apply<ResampleOp<AveragePoolRule>>(o, to(x, kernel_type(x))), x.dtype()); }

}  // namespace

Tensor max_pool2d(const Tensor& x, Size2 kernel_size, const MaxPool2dOptions& options) { return pool(x, kernel_size, options).values; }
Indexed max_pool2d_with_indices(const Tensor& x, Size2 kernel_size, const MaxPool2dOptions& options) {
  return with_wide_indices(pool(x, kernel_size, options));
}
Tensor adaptive_max_pool2d(const Tensor& x, Size2 size) { return adaptive_pool(x, size).values; }
Indexed adaptive_max_pool2d_with_indices(const Tensor& x, Size2 size) { return with_wide_indices(adaptive_pool(x, size)); }

Tensor avg_pool2d(const Tensor& x, Size2 kernel_size, const AvgPool2dOptions& o) {
  if (o.divisor_override < 0) throw ShapeError(fmt::format("avg_pool2d: divisor_override must not be negative, got {}", o.divisor_override));
  return batched(x, [&](const Tensor& b) {
    check_plane("avg_pool2d", b);
    const WindowOptions w = windows(window_axis("avg_pool2d", b, 2, kernel_size.h, o.stride.h, o.padding.h, 1, o.ceil_mode),
                                    window_axis("avg_pool2d", b, 3, kernel_size.w, o.stride.w, o.padding.w, 1, o.ceil_mode));
    return average(b, {w, o.count_include_pad, o.divisor_override});
  });
}

Tensor adaptive_avg_pool2d(const Tensor& x, Size2 size) {
  return batched(x, [&](const Tensor& b) { return average(b, {adaptive_windows("adaptive_avg_pool2d", b, size), false, 0}); });
}

}  // namespace tapetum
