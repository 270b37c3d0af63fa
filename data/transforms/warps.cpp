#include "data/transforms/warps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/transforms/targets.h"

namespace tapetum::data {
namespace {

template <class T> WarpOptions options_of(const T& o) { return {o.interpolation, o.border_mode, o.fill, o.fill_mask}; }

// `p` about the middle of a picture, whose middle goes to that of one of another size.
Projection about_middle(const Projection& p, Size2 from, Size2 to) {
  const auto middle = [](int64_t n) { return static_cast<double>(n - 1) / 2; };
  return translation(middle(to.w), middle(to.h)) * p * translation(-middle(from.w), -middle(from.h));
}

double tangent(double degrees) { return std::tan(degrees * std::numbers::pi / 180); }

// Left, top, right and bottom of where the corners of such a rectangle go.
std::array<double, 4> extent(const Projection& p, const std::array<double, 4>& of) {
  std::array<double, 4> e = {1e300, 1e300, -1e300, -1e300};
  for (const double x : {of[0], of[2]})
    for (const double y : {of[1], of[3]}) {
      const auto [u, v] = p(x, y);
      e = {std::min(e[0], u), std::min(e[1], v), std::max(e[2], u), std::max(e[3], v)};
    }
  return e;
}

}  // namespace

void ShiftScaleRotate::check() const {
  check_range(kName, "shift_limit", shift_limit, -10, 10);
  check_range(kName, "scale_limit", scale_limit, -0.99, 100);
  check_range(kName, "rotate_limit", rotate_limit, -360, 360);
}

void ShiftScaleRotate::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const Size2 size(image.height(), image.width());
  const double x = std::trunc(stream.uniform(shift_limit.low, shift_limit.high) * static_cast<double>(size.w)),
               y = std::trunc(stream.uniform(shift_limit.low, shift_limit.high) * static_cast<double>(size.h)),
               factor = 1 + stream.uniform(scale_limit.low, scale_limit.high), angle = stream.uniform(rotate_limit.low, rotate_limit.high);
  warp_sample(sample, image, about_middle(translation(x, y) * rotation(-angle) * scaling(factor, factor), size, size), size, options_of(*this));
}

void Affine::check() const {
  check_range(kName, "scale", scale, 0.01, 100);
  check_range(kName, "translate_percent", translate_percent, -10, 10);
  check_range(kName, "rotate", rotate, -360, 360);
  check_range(kName, "shear", shear, -80, 80);
}

void Affine::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const Size2 size(image.height(), image.width());
  const double x = std::trunc(stream.uniform(translate_percent.low, translate_percent.high) * static_cast<double>(size.w)),
               y = std::trunc(stream.uniform(translate_percent.low, translate_percent.high) * static_cast<double>(size.h)),
               shear_x = stream.uniform(shear.low, shear.high), shear_y = stream.uniform(shear.low, shear.high),
               factor_x = stream.uniform(scale.low, scale.high), factor_y = keep_ratio ? factor_x : stream.uniform(scale.low, scale.high),
               angle = stream.uniform(rotate.low, rotate.high);
  const Projection form = shearing(-tangent(shear_x), -tangent(shear_y)) * rotation(-angle) * scaling(factor_x, factor_y);
  if (!fit_output) {
    warp_sample(sample, image, about_middle(translation(x, y) * form, size, size), size, options_of(*this));
    return;
  }
  // Albumentations' size: whole pixels around where the corners go, and one more.
  const Projection about = about_middle(form, size, size);
  const auto e = extent(about, {0, 0, static_cast<double>(size.w), static_cast<double>(size.h)});
  const double left = std::floor(e[0] + 1e-9), top = std::floor(e[1] + 1e-9);
  const Size2 fitting(static_cast<int64_t>(std::ceil(e[3] - 1e-9) - top) + 1, static_cast<int64_t>(std::ceil(e[2] - 1e-9) - left) + 1);
  warp_sample(sample, image, translation(-left, -top) * about, fitting, options_of(*this));
}

void RandomRotation::check() const { check_range(kName, "degrees", degrees, -360, 360); }

void RandomRotation::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const Size2 size(image.height(), image.width());
  const Projection turn = rotation(-stream.uniform(degrees.low, degrees.high));
  Size2 fitting = size;
  if (expand) {
    const double w = static_cast<double>(size.w) / 2, h = static_cast<double>(size.h) / 2;
    const auto e = extent(turn, {-w, -h, w, h});
    const auto whole = [](int64_t n, double reach) {  // of pixels that a line about the middle of n touches, as Pillow counts
      const double middle = static_cast<double>(n) / 2;
      return static_cast<int64_t>(std::ceil(middle + reach - 1e-9) - std::floor(middle - reach + 1e-9));
    };
    fitting = {whole(size.h, e[3]), whole(size.w, e[2])};
  }
  warp_sample(sample, image, about_middle(turn, size, fitting), fitting, {interpolation, Border::constant, fill, fill_mask});
}

void Perspective::check() const { check_range(kName, "scale", scale, 0, 1); }

void Perspective::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const double w = static_cast<double>(image.width()), h = static_cast<double>(image.height()), deviation = stream.uniform(scale.low, scale.high);
  const auto jitter = [&] { return std::fmod(std::abs(stream.normal(0, deviation)), 0.32); };
  std::array<std::array<double, 2>, 4> points;
  for (size_t i = 0; i < 4; ++i) {  // from the upper left with the clock, measured from the picture's edge
    const double x = jitter(), y = jitter();
    points[i] = {w * (i == 1 || i == 2 ? 1 - x : x), h * (i >= 2 ? 1 - y : y)};
  }
  Size2 size(image.height(), image.width());
  if (!keep_size) {
    const auto length = [&](size_t a, size_t b) { return std::hypot(points[a][0] - points[b][0], points[a][1] - points[b][1]); };
    size = {std::max<int64_t>(1, static_cast<int64_t>(std::max(length(1, 2), length(0, 3)))),
            std::max<int64_t>(1, static_cast<int64_t>(std::max(length(0, 1), length(3, 2))))};
  }
  const auto right = static_cast<double>(size.w), bottom = static_cast<double>(size.h);
  const Projection edges = between(points, {{{0, 0}, {right, 0}, {right, bottom}, {0, bottom}}});
  warp_sample(sample, image, translation(-0.5, -0.5) * edges * translation(0.5, 0.5), size, options_of(*this));
}

}  // namespace tapetum::data
