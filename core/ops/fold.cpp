#include "core/ops/fold.h"

#include <fmt/core.h>

#include "core/autograd/apply.h"
#include "core/ops/creation.h"
#include "core/ops/launch.h"
#include "core/ops/promotion.h"
#include "core/ops/view.h"
#include "kernels/fold.h"

namespace tapetum {
namespace {

struct Windows {
  Size2 image, kernel, dilation, padding, stride;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("image", s.image);
    v("kernel", s.kernel);
    v("dilation", s.dilation);
    v("padding", s.padding);
    v("stride", s.stride);
  }
  static kernels::FoldAxis axis(int64_t in, int64_t size, int64_t stride, int64_t padding, int64_t dilation) {
    const int64_t room = in + 2 * padding - dilation * (size - 1) - 1;
    return {in, room < 0 ? 0 : room / stride + 1, size, stride, padding, dilation};
  }
  kernels::FoldAxis h() const { return axis(image.h, kernel.h, stride.h, padding.h, dilation.h); }
  kernels::FoldAxis w() const { return axis(image.w, kernel.w, stride.w, padding.w, dilation.w); }
  int64_t taps() const { return kernel.h * kernel.w; }
  int64_t places() const { return h().out * w().out; }
};

void run(const kernels::KernelSlot<kernels::FoldArgs>& slot, const Windows& o, const Tensor& image, const Tensor& columns) {
  launch(slot, image.device(), image.dtype(),
         {{image.size(0), image.size(1), o.h(), o.w(), image.dtype()}, const_cast<void*>(image.raw()), const_cast<void*>(columns.raw())});
}

struct FoldOp;

struct UnfoldOp {
  static constexpr OpInfo info{"unfold"};
  using Options = Windows;
  static Tensor forward(Context&, const Options& o, const Tensor& x) {
    Tensor columns = empty({x.size(0), x.size(1) * o.taps(), o.places()}, x.dtype(), x.device());
    run(kernels::unfold_forward, o, contiguous(x), columns);
    return columns;
  }
  static Gradients backward(const Context&, const Options& o, const Tensor& gy);
};

struct FoldOp {
  static constexpr OpInfo info{"fold"};
  using Options = Windows;
  static Tensor forward(Context&, const Options& o, const Tensor& columns) {
    Tensor image = empty({columns.size(0), columns.size(1) / o.taps(), o.image.h, o.image.w}, columns.dtype(), columns.device());
    run(kernels::fold_forward, o, image, contiguous(columns));
    return image;
  }
  static Gradients backward(const Context&, const Options& o, const Tensor& g) { return {apply<UnfoldOp>(o, g)}; }
};

Gradients UnfoldOp::backward(const Context&, const Options& o, const Tensor& gy) { return {apply<FoldOp>(o, gy)}; }

Windows windows(const char* op, Size2 image, Size2 kernel, const FoldOptions& o) {
  const Windows w{image, kernel, o.dilation, o.padding, o.stride};
  const auto positive = [](Size2 s) { return s.h > 0 && s.w > 0; };
  if (!positive(kernel) || !positive(o.dilation) || !positive(o.stride) || o.padding.h < 0 || o.padding.w < 0)
    throw ShapeError(fmt::format("{}: kernel, dilation and stride must be positive, padding not negative, got {}", op, to_string(w)));
  if (!positive(image) || w.places() == 0) throw ShapeError(fmt::format("{}: no window fits into the image, got {}", op, to_string(w)));
  return w;
}

}  // namespace

Tensor unfold(const Tensor& x, Size2 kernel, const FoldOptions& o) {
  check_floating("unfold", x);
  if (x.dim() == 3) return squeeze(unfold(unsqueeze(x, 0), kernel, o), 0);
  if (x.dim() != 4) throw ShapeError(fmt::format("unfold: expected [N, C, H, W] or [C, H, W], got {}", to_string(x.shape())));
  const Windows w = windows("unfold", {x.size(2), x.size(3)}, kernel, o);
  return to(apply<UnfoldOp>(w, to(x, kernel_type(x))), x.dtype());
}

Tensor fold(const Tensor& x, Size2 size, Size2 kernel, const FoldOptions& o) {
  check_floating("fold", x);
  if (x.dim() == 2) return squeeze(fold(unsqueeze(x, 0), size, kernel, o), 0);
  const Windows w = windows("fold", size, kernel, o);
  if (x.dim() != 3 || x.size(1) % w.taps() || x.size(2) != w.places())
    throw ShapeError(fmt::format("fold: expected [N, C {}, {}] or [C {}, {}] for {}, got {}", w.taps(), w.places(), w.taps(), w.places(),
                                 to_string(w), to_string(x.shape())));
  return to(apply<FoldOp>(w, to(x, kernel_type(x))), x.dtype());
}

}  // namespace tapetum
