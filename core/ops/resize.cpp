#include "core/ops/resize.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/ops/batched.h"
#include "core/ops/creation.h"
#include "core/ops/launch.h"
#include "core/ops/pool.h"
#include "core/ops/promotion.h"
#include "core/ops/resample.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

// One dimension: output i has its centre at scale (i + 0.5) of the input, where pixel j covers j to j + 1.
struct Axis {
  int64_t in, out;
  double scale;  // input pixels for each output pixel
};

void nearest_row(SparseRows& m, const Axis& a, int64_t i, bool exact) {
  // In float, as PyTorch: which pixel is taken hangs on how the product is rounded.
  const float at = (static_cast<float>(i) + (exact ? 0.5f : 0.0f)) * static_cast<float>(a.scale);
  m.add(std::min(static_cast<int64_t>(std::floor(at)), a.in - 1), 1);
}

double position(const Axis& a, int64_t i, bool align_corners) {
  const double at = static_cast<double>(i);
  return align_corners ? a.scale * at : a.scale * (at + 0.5) - 0.5;
}

void bilinear_row(SparseRows& m, const Axis& a, int64_t i, bool align_corners) {
  const double at = std::max(position(a, i, align_corners), 0.0);
  const int64_t left = std::min(static_cast<int64_t>(at), a.in - 1), right = std::min(left + 1, a.in - 1);
  const double part = std::min(at - static_cast<double>(left), 1.0);
  if (part < 1) m.add(left, 1 - part);
  if (part > 0) m.add(right, part);
}

// Keys, "Cubic convolution interpolation for digital image processing", 1981.
double cubic(double x, double a) {
  x = std::fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

void bicubic_row(SparseRows& m, const Axis& a, int64_t i, bool align_corners) {
  const double at = position(a, i, align_corners), floor = std::floor(at);
  for (int64_t k = -1; k <= 2; ++k) {
    const double w = cubic(at - floor - static_cast<double>(k), -0.75);
    if (w != 0) m.add(std::clamp<int64_t>(static_cast<int64_t>(floor) + k, 0, a.in - 1), w);
  }
}

// Pillow's: the filter stretched by the scale where that is above 1, cut at the border and divided by its sum.
void antialias_row(SparseRows& m, const Axis& a, int64_t i, bool is_cubic) {
  const double stretch = std::max(a.scale, 1.0), support = (is_cubic ? 2 : 1) * stretch;
  const double centre = a.scale * (static_cast<double>(i) + 0.5);
  const int64_t begin = std::max<int64_t>(static_cast<int64_t>(centre - support + 0.5), 0);
  const int64_t end = std::min(static_cast<int64_t>(centre + support + 0.5), a.in);
  const auto filter = [&](int64_t j) {
    const double x = (static_cast<double>(j) - centre + 0.5) / stretch;
    return is_cubic ? cubic(x, -0.5) : std::max(0.0, 1 - std::fabs(x));
  };
  double sum = 0;
  for (int64_t j = begin; j < end; ++j) sum += filter(j);
  for (int64_t j = begin; j < end; ++j)
    if (filter(j) != 0) m.add(j, filter(j) / sum);
}

struct InterpolateRule {
  static constexpr OpInfo info{"interpolate"}, adjoint{"interpolate_adjoint"};
  struct Options {
    Size2 in, out;
    Scale2 scale;
    Interpolation mode;
    bool align_corners, antialias;
    template <class S, class V> static void fields(S& s, V&& v) {
      v("in", s.in);
      v("out", s.out);
      v("scale", s.scale);
      v("mode", s.mode);
      v("align_corners", s.align_corners);
      v("antialias", s.antialias);
    }
  };

  static SparseRows matrix(const Axis& a, const Options& o) {
    SparseRows m{a.in};
    for (int64_t i = 0; i < a.out; ++i) {
      if (o.antialias)
        antialias_row(m, a, i, o.mode == Interpolation::bicubic);
      else if (o.mode == Interpolation::bilinear)
        bilinear_row(m, a, i, o.align_corners);
      else if (o.mode == Interpolation::bicubic)
        bicubic_row(m, a, i, o.align_corners);
      else
        nearest_row(m, a, i, o.mode == Interpolation::nearest_exact);
      m.end_row();
    }
    return m;
  }
  static SparseRows rows(const Options& o) { return matrix({o.in.h, o.out.h, o.scale.h}, o); }
  static SparseRows columns(const Options& o) { return matrix({o.in.w, o.out.w, o.scale.w}, o); }
};

double scale_of(int64_t in, int64_t out, double factor, bool align_corners) {
  if (align_corners) return out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0;
  return factor > 0 ? 1 / factor : static_cast<double>(in) / static_cast<double>(out);
}

// The result's size; throws where size and scale_factor do not say one.
Size2 output_size(const Tensor& x, const InterpolateOptions& o) {
  const bool by_size = !(o.size == Size2(0)), by_factor = o.scale_factor.h != 0 || o.scale_factor.w != 0;
  if (by_size == by_factor) throw ShapeError(fmt::format("interpolate: exactly one of size and scale_factor is needed, got {}", to_string(o)));
  const auto scaled = [](int64_t n, double factor) {
    const double size = std::floor(static_cast<double>(n) * factor);
    return size >= 1 && size < 0x1p31 ? static_cast<int64_t>(size) : 0;
  };
  const Size2 out = by_size ? o.size : Size2(scaled(x.size(2), o.scale_factor.h), scaled(x.size(3), o.scale_factor.w));
  if (out.h < 1 || out.w < 1)
    throw ShapeError(fmt::format("interpolate: the result must have a size, got {} for input {}", to_string(o), to_string(x.shape())));
  return out;
}

void check_factor(const char* op, const Tensor& x, int64_t factor, bool fits) {
  if (factor < 1 || !fits) throw ShapeError(fmt::format("{}: factor {} does not divide the input {}", op, factor, to_string(x.shape())));
}

Tensor shuffled(const Tensor& x, int64_t r) {
  check_factor("pixel_shuffle", x, r, x.dim() == 4 && r > 0 && x.size(1) % (r * r) == 0);
  const int64_t n = x.size(0), c = x.size(1) / (r * r), h = x.size(2), w = x.size(3);
  return reshape(permute(reshape(x, {n, c, r, r, h, w}), {0, 1, 4, 2, 5, 3}), {n, c, h * r, w * r});
}

Tensor unshuffled(const Tensor& x, int64_t r) {
  check_factor("pixel_unshuffle", x, r, x.dim() == 4 && r > 0 && x.size(2) % r == 0 && x.size(3) % r == 0);
  const int64_t n = x.size(0), c = x.size(1), h = x.size(2) / r, w = x.size(3) / r;
  return reshape(permute(reshape(x, {n, c, h, r, w, r}), {0, 1, 3, 5, 2, 4}), {n, c * r * r, h, w});
}

}  // namespace

const char* name_of(Interpolation mode) {
  constexpr const char* names[] = {"nearest", "nearest_exact", "bilinear", "bicubic", "area"};
  return names[static_cast<int>(mode)];
}

Tensor interpolate(const Tensor& x, const InterpolateOptions& o) {
  check_floating("interpolate", x);
  if (x.dim() != 4 || x.size(2) == 0 || x.size(3) == 0)
    throw ShapeError(fmt::format("interpolate: expected [N, C, H, W] with H, W > 0, got {}", to_string(x.shape())));
  const Size2 in{x.size(2), x.size(3)}, out = output_size(x, o);
  const bool smooth = o.mode == Interpolation::bilinear || o.mode == Interpolation::bicubic;
  if ((o.align_corners || o.antialias) && !smooth)
    throw ShapeError(fmt::format("interpolate: align_corners and antialias go with bilinear and bicubic only, got {}", to_string(o)));
  if (o.mode == Interpolation::area) return adaptive_avg_pool2d(x, out);
  const Scale2 scale{scale_of(in.h, out.h, o.scale_factor.h, o.align_corners), scale_of(in.w, out.w, o.scale_factor.w, o.align_corners)};
  const InterpolateRule::Options options{in, out, scale, o.mode, o.align_corners, o.antialias};
  return to(apply<ResampleOp<InterpolateRule>>(options, to(x, kernel_type(x))), x.dtype());
}

Tensor pixel_shuffle(const Tensor& x, int64_t r) {
  return batched(x, [&](const Tensor& b) { return shuffled(b, r); });
}
Tensor pixel_unshuffle(const Tensor& x, int64_t r) {
  return batched(x, [&](const Tensor& b) { return unshuffled(b, r); });
}

}  // namespace tapetum
