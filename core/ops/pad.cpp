#include "core/ops/pad.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/ops/batched.h"
#include "core/ops/creation.h"
#include "core/ops/launch.h"
#include "core/ops/layout.h"
#include "core/ops/promotion.h"
#include "core/ops/resample.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

struct PadConstantOptions {
  Shape pads;
  double value;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("pads", s.pads);
    v("value", s.value);
  }
};

// Cuts what is negative in pads: the rest is to be added.
Tensor cut(Tensor x, const Shape& pads) {
  for (int i = 0; i < pads.size(); i += 2) {
    const int d = x.dim() - 1 - i / 2;
    const int64_t begin = std::max<int64_t>(-pads[i], 0), end = x.size(d) - std::max<int64_t>(-pads[i + 1], 0);
    if (begin > 0 || end < x.size(d)) x = slice(x, d, begin, end);
  }
  return x;
}

Shape negated(Shape pads) {
  for (int i = 0; i < pads.size(); ++i) pads[i] = -pads[i];
  return pads;
}

Shape padded_shape(const Tensor& x, const Shape& pads) {
  Shape shape = x.shape();
  for (int i = 0; i < pads.size(); ++i) shape[x.dim() - 1 - i / 2] += pads[i];
  return shape;
}

struct PadConstantOp {
  static constexpr OpInfo info{"pad"};
  using Options = PadConstantOptions;
  static Tensor forward(Context&, const Options& o, const Tensor& x) {
    Tensor y = empty_image(padded_shape(x, o.pads), x.dtype(), x.device(), {x});
    fill_(y, o.value);
    Tensor hole = cut(y, negated(o.pads));
    copy_(hole, cut(x, o.pads));
    return y;
  }
  static Gradients backward(const Context&, const Options& o, const Tensor& gy) { return {pad(gy, negated(o.pads))}; }
};

struct PadBorderRule {
  static constexpr OpInfo info{"pad_border"}, adjoint{"pad_border_adjoint"};
  struct Options {
    Size2 in, before, after;
    PadMode mode;
    template <class S, class V> static void fields(S& s, V&& v) {
      v("in", s.in);
      v("before", s.before);
      v("after", s.after);
      v("mode", s.mode);
    }
  };
  static SparseRows matrix(int64_t in, int64_t before, int64_t after, PadMode mode) {
    SparseRows m{in};
    for (int64_t i = -before; i < in + after; ++i) {
      const int64_t mirrored = i < 0 ? -i : i >= in ? 2 * (in - 1) - i : i;
      m.add(mode == PadMode::reflect ? mirrored : std::clamp<int64_t>(i, 0, in - 1), 1);
      m.end_row();
    }
    return m;
  }
  static SparseRows rows(const Options& o) { return matrix(o.in.h, o.before.h, o.after.h, o.mode); }
  static SparseRows columns(const Options& o) { return matrix(o.in.w, o.before.w, o.after.w, o.mode); }
};

Tensor pad_border(const Tensor& x, const Shape& pads, PadMode mode) {
  check_floating("pad", x);
  if (x.dim() != 4 || pads.size() > 4)
    throw ShapeError(fmt::format("pad: {} pads the last two dimensions of [C, H, W] or [N, C, H, W], got {} pads for {}", name_of(mode), pads.size(),
                                 to_string(x.shape())));
  const Size2 in{x.size(2), x.size(3)}, before{pads.size() > 2 ? pads[2] : 0, pads[0]}, after{pads.size() > 2 ? pads[3] : 0, pads[1]};
  const bool fits = mode == PadMode::reflect ? std::max(before.h, after.h) < in.h && std::max(before.w, after.w) < in.w : in.h > 0 && in.w > 0;
  if (!fits) throw ShapeError(fmt::format("pad: {} cannot add {} to {}", name_of(mode), to_string(pads), to_string(x.shape())));
  return to(apply<ResampleOp<PadBorderRule>>({in, before, after, mode}, to(x, kernel_type(x))), x.dtype());
}

}  // namespace

const char* name_of(PadMode mode) { return mode == PadMode::constant ? "constant" : mode == PadMode::reflect ? "reflect" : "replicate"; }

Tensor pad(const Tensor& x, const Shape& pads, const PadOptions& o) {
  if (pads.size() % 2 != 0 || pads.size() > 2 * x.dim())
    throw ShapeError(fmt::format("pad: two numbers are needed for each padded dimension, got {} for {}", to_string(pads), to_string(x.shape())));
  if (pads.size() == 0) return x;
  for (int i = 0; i < pads.size(); i += 2) {
    const int64_t n = x.size(x.dim() - 1 - i / 2), lost = std::max<int64_t>(-pads[i], 0) + std::max<int64_t>(-pads[i + 1], 0);
    if (lost > n) throw ShapeError(fmt::format("pad: {} cuts more than there is in {}", to_string(pads), to_string(x.shape())));
  }
  return o.mode == PadMode::constant ? apply<PadConstantOp>({pads, o.value}, x)
                                     : batched(x, [&](const Tensor& b) { return pad_border(b, pads, o.mode); });
}

}  // namespace tapetum
