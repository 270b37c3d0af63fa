#include "data/transforms/sizes.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/transforms/targets.h"

namespace tapetum::data {
namespace {

void check_size(const char* name, int64_t height, int64_t width) {
  if (height < 1 || width < 1) throw ShapeError(fmt::format("{}: expected height and width of 1 or more, got {} x {}", name, height, width));
}

void check_side(const char* name, int64_t size) {
  if (size < 1) throw ShapeError(fmt::format("{}: expected max_size of 1 or more, got {}", name, size));
}

// Both sides times `factor`, rounded as Python does, ties to even.
Size2 scaled(const Image& image, double factor) {
  const auto side = [&](int64_t n) { return std::max<int64_t>(1, std::llrint(static_cast<double>(n) * factor)); };
  return {side(image.height()), side(image.width())};
}

// What is missing before and after a line of n pixels.
std::pair<int64_t, int64_t> missing(int64_t n, int64_t least, int64_t divisor) {
  int64_t wanted = std::max(n, least);
  if (divisor > 0) wanted = (wanted + divisor - 1) / divisor * divisor;
  return {(wanted - n) / 2, wanted - n - (wanted - n) / 2};
}

Padding4 padding_to(const Image& image, Size2 least, Size2 divisor) {
  const auto [top, bottom] = missing(image.height(), least.h, divisor.h);
  const auto [left, right] = missing(image.width(), least.w, divisor.w);
  return {top, bottom, left, right};
}

// Crops of both kinds: `place` chooses where, given how many pixels are left over.
template <class C, class F> void crop_to(const C& o, ImageSample& sample, F place) {
  Image image = checked_image_of(C::kName, sample);
  if (o.pad_if_needed && (image.height() < o.height || image.width() < o.width)) {
    pad_sample(sample, image, padding_to(image, {o.height, o.width}, 0), o.border_mode, o.fill, o.fill_mask);
    image = Image(sample.image);
  }
  if (image.height() < o.height || image.width() < o.width)
    throw ShapeError(fmt::format("{}: expected an image of at least {} x {} pixels (or pad_if_needed), got {} x {}", C::kName, o.height, o.width,
                                 image.height(), image.width()));
  const int64_t top = place(image.height() - o.height), left = place(image.width() - o.width);  // in this order: they may be drawn
  crop_sample(sample, image, top, left, {o.height, o.width});
}

struct Window {
  int64_t top, left, height, width;
};

Window random_window(const Image& image, Range scale, Range ratio, RandomStream& stream) {
  const auto h = static_cast<double>(image.height()), w = static_cast<double>(image.width());
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = h * w * stream.uniform(scale.low, scale.high), aspect = std::exp(stream.uniform(std::log(ratio.low), std::log(ratio.high)));
    const int64_t width = std::llrint(std::sqrt(area * aspect)), height = std::llrint(std::sqrt(area / aspect));
    if (width < 1 || height < 1 || width > image.width() || height > image.height()) continue;
    const int64_t top = stream.integer(image.height() - height + 1), left = stream.integer(image.width() - width + 1);
    return {top, left, height, width};
  }
  const double aspect = std::clamp(w / h, ratio.low, ratio.high);
  const int64_t width = aspect * h < w ? std::max<int64_t>(1, std::llrint(h * aspect)) : image.width();
  const int64_t height = aspect * h > w ? std::max<int64_t>(1, std::llrint(w / aspect)) : image.height();
  return {(image.height() - height) / 2, (image.width() - width) / 2, height, width};
}

}  // namespace

void Resize::check() const { check_size(kName, height, width); }
void Resize::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  resize_sample(sample, checked_image_of(kName, sample), {height, width}, interpolation);
}

void LongestMaxSize::check() const { check_side(kName, max_size); }
void LongestMaxSize::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const double factor = static_cast<double>(max_size) / static_cast<double>(std::max(image.height(), image.width()));
  resize_sample(sample, image, scaled(image, factor), interpolation);
}

void SmallestMaxSize::check() const { check_side(kName, max_size); }
void SmallestMaxSize::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const double factor = static_cast<double>(max_size) / static_cast<double>(std::min(image.height(), image.width()));
  resize_sample(sample, image, scaled(image, factor), interpolation);
}

void PadIfNeeded::check() const {
  if (std::min({min_height, min_width, pad_height_divisor, pad_width_divisor}) < 0)
    throw ShapeError(fmt::format("{}: expected sizes and divisors of 0 or more, got {}, {}, {} and {}", kName, min_height, min_width,
                                 pad_height_divisor, pad_width_divisor));
}
void PadIfNeeded::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  pad_sample(sample, image, padding_to(image, {min_height, min_width}, {pad_height_divisor, pad_width_divisor}), border_mode, fill, fill_mask);
}

void LetterBox::check() const { check_size(kName, height, width); }
void LetterBox::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  double factor =
      std::min(static_cast<double>(height) / static_cast<double>(image.height()), static_cast<double>(width) / static_cast<double>(image.width()));
  if (!scale_up) factor = std::min(factor, 1.);
  Size2 inner = scaled(image, factor);
  inner = {std::min(inner.h, height), std::min(inner.w, width)};
  resize_sample(sample, image, inner, interpolation);
  const Image small(sample.image);
  pad_sample(sample, small, padding_to(small, {height, width}, 0), Border::constant, fill, fill_mask);
}

void CenterCrop::check() const { check_size(kName, height, width); }
void CenterCrop::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  crop_to(*this, sample, [](int64_t left_over) { return left_over / 2; });
}

void RandomCrop::check() const { check_size(kName, height, width); }
void RandomCrop::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  crop_to(*this, sample, [&](int64_t left_over) { return stream.integer(left_over + 1); });
}

void RandomResizedCrop::check() const {
  check_size(kName, height, width);
  check_range(kName, "scale", scale, 1e-6, 1);
  check_range(kName, "ratio", ratio, 1e-3, 1e3);
}
void RandomResizedCrop::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const Window window = random_window(image, scale, ratio, stream);
  crop_sample(sample, image, window.top, window.left, {window.height, window.width});
  resize_sample(sample, Image(sample.image), {height, width}, interpolation);
}

}  // namespace tapetum::data
