#include "data/transforms/photometric.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/pixels/clahe.h"
#include "data/pixels/colour_space.h"
#include "data/pixels/enhance.h"
#include "data/pixels/tables.h"
#include "data/transforms/targets.h"

namespace tapetum::data {
namespace {

double mean_of(const Image& image) {
  double sum = 0;
  const int64_t colours = colour_channels(image);
  for (int64_t c = 0; c < colours; ++c) {
    const auto counts = histogram(image, c);
    for (int i = 0; i < 256; ++i) sum += static_cast<double>(i * counts[static_cast<size_t>(i)]);
  }
  return sum / static_cast<double>(image.height() * image.width() * colours);
}

// Colours of an RGBA image through a function of RGB images; alpha is put back.
template <class F> Image keeping_alpha(const Image& image, F f) {
  if (image.channels() != 4) return f(image);
  Image result = convert_channels(f(convert_channels(image, 3)), 4);
  uint8_t* to = result.mutable_row(0) + 3;
  for (int64_t i = 0; i < image.height() * image.width(); ++i) to[4 * i] = image.row(0)[4 * i + 3];
  return result;
}

}  // namespace

void RandomBrightnessContrast::check() const {
  check_range(kName, "brightness_limit", brightness_limit, -1, 1);
  check_range(kName, "contrast_limit", contrast_limit, -1, 100);
}
void RandomBrightnessContrast::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = image_of(kName, sample);
  const double factor = 1 + stream.uniform(contrast_limit.low, contrast_limit.high),
               offset = stream.uniform(brightness_limit.low, brightness_limit.high);
  sample.image = scale_values(image, factor, offset * (brightness_by_max ? 255 : mean_of(image))).tensor();
}

void RandomGamma::check() const { check_range(kName, "gamma_limit", gamma_limit, 1, 10000); }
void RandomGamma::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  sample.image = adjust_gamma(image_of(kName, sample), stream.uniform(gamma_limit.low, gamma_limit.high) / 100).tensor();
}

void CLAHE::check() const {
  check_range(kName, "clip_limit", clip_limit, 0, 1e6);
  for (const int64_t tiles : {tile_grid_size.h, tile_grid_size.w})
    if (tiles < 1 || tiles > 256) throw ShapeError(fmt::format("{}: expected tile_grid_size of 1 to 256, got {}", kName, tiles));
}
void CLAHE::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  sample.image = clahe(image_of(kName, sample), stream.uniform(clip_limit.low, clip_limit.high), tile_grid_size).tensor();
}

void HueSaturationValue::check() const {
  check_range(kName, "hue_shift_limit", hue_shift_limit, -180, 180);
  check_range(kName, "sat_shift_limit", sat_shift_limit, -255, 255);
  check_range(kName, "val_shift_limit", val_shift_limit, -255, 255);
}
void HueSaturationValue::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const double hue = stream.uniform(hue_shift_limit.low, hue_shift_limit.high),
               saturation = stream.uniform(sat_shift_limit.low, sat_shift_limit.high),
               value = stream.uniform(val_shift_limit.low, val_shift_limit.high);
  sample.image = keeping_alpha(image_of(kName, sample), [&](const Image& i) { return shift_hsv(i, hue, saturation, value); }).tensor();
}

void ColorJitter::check() const {
  for (const double v : {brightness, contrast, saturation})
    if (!(v >= 0)) throw Error(fmt::format("{}: expected brightness, contrast and saturation of 0 or more, got {}", kName, v));
  if (!(hue >= 0 && hue <= 0.5)) throw Error(fmt::format("{}: expected hue of 0 to 0.5, got {}", kName, hue));
}
void ColorJitter::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  Image image = image_of(kName, sample);
  const auto factor = [&](double v) { return stream.uniform(std::max(0., 1 - v), 1 + v); };
  int order[] = {0, 1, 2, 3};
  for (int64_t i = 3; i > 0; --i) std::swap(order[i], order[stream.integer(i + 1)]);
  for (const int step : order) {
    if (step == 0 && brightness > 0) image = adjust_brightness(image, factor(brightness));
    if (step == 1 && contrast > 0) image = adjust_contrast(image, factor(contrast));
    if (step == 2 && saturation > 0) image = adjust_saturation(image, factor(saturation));
    if (step == 3 && hue > 0) image = adjust_hue(image, stream.uniform(-hue, hue));
  }
  sample.image = image.tensor();
}

void ToGray::operator()(ImageSample& sample, RandomStream& stream) const {
  if (stream.chance(p)) sample.image = grayscale(image_of(kName, sample)).tensor();
}
void RandomGrayscale::operator()(ImageSample& sample, RandomStream& stream) const {
  if (stream.chance(p)) sample.image = grayscale(image_of(kName, sample)).tensor();
}

void Posterize::check() const { check_range(kName, "num_bits", num_bits, 0, 8); }
void Posterize::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  sample.image = posterize(image_of(kName, sample), num_bits.low + stream.integer(num_bits.high - num_bits.low + 1)).tensor();
}

void Solarize::check() const { check_range(kName, "threshold_range", threshold_range, 0, 1); }
void Solarize::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const double threshold = stream.uniform(threshold_range.low, threshold_range.high) * 255;
  sample.image = solarize(image_of(kName, sample), static_cast<int64_t>(std::ceil(threshold))).tensor();
}

void Equalize::operator()(ImageSample& sample, RandomStream& stream) const {
  if (stream.chance(p)) sample.image = equalize(image_of(kName, sample)).tensor();
}

void AutoContrast::check() const {
  if (!(cutoff >= 0 && cutoff < 50)) throw Error(fmt::format("{}: expected a cutoff of 0 to 50 percent, got {}", kName, cutoff));
}
void AutoContrast::operator()(ImageSample& sample, RandomStream& stream) const {
  if (stream.chance(p)) sample.image = autocontrast(image_of(kName, sample), cutoff).tensor();
}

void InvertImg::operator()(ImageSample& sample, RandomStream& stream) const {
  if (stream.chance(p)) sample.image = invert(image_of(kName, sample)).tensor();
}

}  // namespace tapetum::data
