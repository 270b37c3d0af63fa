#include "data/pixels/enhance.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "data/pixels/clones.h"
#include "data/pixels/tables.h"

namespace tapetum::data {
namespace {

// Pillow's blend of a plain value and the image's, in f32; a factor beyond 0..1 leads out of the range.
inline uint8_t blended(int plain, int value, float factor) {
  const float v = static_cast<float>(plain) + factor * static_cast<float>(value - plain);
  return static_cast<uint8_t>(v < 0 ? 0 : v > 255 ? 255 : v);
}

// to = plain + factor (image - plain), byte by byte.
TAPETUM_PIXEL_LOOP void blend_bytes(const uint8_t* __restrict plain, const uint8_t* __restrict image, float factor, uint8_t* __restrict to,
                                    int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const int p = plain[i], v = image[i];
    const float x = static_cast<float>(p) + factor * static_cast<float>(v - p);
    to[i] = static_cast<uint8_t>(static_cast<int>(std::min(std::max(x, 0.f), 255.f)));
  }
}

Image blend(const Image& plain, const Image& image, double factor) {
  Image result(image.height(), image.width(), image.channels());
  blend_bytes(plain.row(0), image.row(0), static_cast<float>(factor), result.mutable_row(0), image.tensor().numel());
  return result;
}

Image blend(int plain, const Image& image, double factor) {
  Table table;
  for (int i = 0; i < 256; ++i) table[static_cast<size_t>(i)] = blended(plain, i, static_cast<float>(factor));
  return apply_table(image, table);
}

void check_factor(const char* op, double factor) {
  if (!(factor >= 0)) throw Error(fmt::format("{}: expected a factor of 0 or more, got {}", op, factor));
}

// Each pixel with its eight neighbours, itself five times; the border stays. `step` is a pixel's bytes; alpha is smoothed too.
Image smooth(const Image& image) {
  const int64_t h = image.height(), bytes = image.width() * image.channels(), step = image.channels();
  if (h < 3 || image.width() < 3) return image;
  Image result(h, image.width(), image.channels());
  std::memcpy(result.mutable_row(0), image.row(0), static_cast<size_t>(bytes));
  std::memcpy(result.mutable_row(h - 1), image.row(h - 1), static_cast<size_t>(bytes));
  for (int64_t y = 1; y + 1 < h; ++y) {
    const uint8_t *a = image.row(y - 1), *b = image.row(y), *c = image.row(y + 1);
    uint8_t* to = result.mutable_row(y);
    std::memcpy(to, b, static_cast<size_t>(step));
    std::memcpy(to + bytes - step, b + bytes - step, static_cast<size_t>(step));
    for (int64_t i = step; i < bytes - step; ++i) {
      const int sum = a[i - step] + a[i] + a[i + step] + b[i - step] + 5 * b[i] + b[i + step] + c[i - step] + c[i] + c[i + step];
      to[i] = static_cast<uint8_t>((2 * sum + 13) / 26);
    }
  }
  return result;
}

void restore_alpha(Image& to, const Image& from) {
  if (from.channels() != 4) return;
  uint8_t* p = to.mutable_row(0) + 3;
  const uint8_t* q = from.row(0) + 3;
  for (int64_t i = 0; i < from.height() * from.width(); ++i, p += 4, q += 4) *p = *q;
}

// Pillow's HSV: hue and saturation in 255ths, rounded down.
void turn_hue(const uint8_t* rgb, uint8_t turn, uint8_t* to) {
  const int r = rgb[0], g = rgb[1], b = rgb[2], high = std::max(r, std::max(g, b)), low = std::min(r, std::min(g, b));
  if (high == low) {
    to[0] = to[1] = to[2] = static_cast<uint8_t>(high);
    return;
  }
  const auto range = static_cast<float>(high - low);
  const float rc = static_cast<float>(high - r) / range, gc = static_cast<float>(high - g) / range, bc = static_cast<float>(high - b) / range;
  const float sector = r == high ? bc - gc : static_cast<float>(g == high ? 2.0 + rc - bc : 4.0 + gc - rc);
  const double wrapped = static_cast<double>(sector) / 6.0 + 1.0;  // 0.83 to 1.83
  const auto h = static_cast<float>(wrapped >= 1 ? wrapped - 1 : wrapped);
  const auto hue = static_cast<uint8_t>(static_cast<uint8_t>(static_cast<int>(h * 255.0)) + turn);
  const auto saturation = static_cast<uint8_t>(static_cast<int>(range / static_cast<float>(high) * 255.0));
  const auto value = static_cast<float>(high), s = static_cast<float>(saturation / 255.0), place = static_cast<float>(hue * 6.0 / 255.0);
  const int i = static_cast<int>(place);
  const float f = place - static_cast<float>(i);
  const auto byte = [](double v) { return static_cast<uint8_t>(static_cast<int>(v + 0.5)); };
  const uint8_t v = static_cast<uint8_t>(high), p = byte(value * (1.0 - s)), q = byte(value * (1.0 - s * f)), t = byte(value * (1.0 - s * (1.0 - f)));
  if (saturation == 0) {
    to[0] = to[1] = to[2] = v;
    return;
  }
  const uint8_t colours[6][3] = {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}};
  std::memcpy(to, colours[i % 6], 3);
}

}  // namespace

Image grayscale(const Image& image) {
  if (image.channels() == 1) return image;
  Image result = convert_channels(convert_channels(image, 1), static_cast<int>(image.channels()));
  restore_alpha(result, image);
  return result;
}

Image adjust_brightness(const Image& image, double factor) {
  check_factor("adjust_brightness", factor);
  return blend(0, image, factor);
}

Image adjust_contrast(const Image& image, double factor) {
  check_factor("adjust_contrast", factor);
  const Image gray = convert_channels(image, 1);
  const int64_t n = gray.tensor().numel();
  const uint8_t* luma = gray.row(0);
  int64_t sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += luma[i];
  return blend(static_cast<int>(static_cast<double>(sum) / static_cast<double>(n) + 0.5), image, factor);
}

Image adjust_saturation(const Image& image, double factor) {
  check_factor("adjust_saturation", factor);
  return image.channels() == 1 ? image : blend(grayscale(image), image, factor);
}

Image adjust_sharpness(const Image& image, double factor) {
  check_factor("adjust_sharpness", factor);
  Image result = blend(smooth(image), image, factor);
  restore_alpha(result, image);
  return result;
}

Image adjust_hue(const Image& image, double shift) {
  if (!(shift >= -0.5 && shift <= 0.5)) throw Error(fmt::format("adjust_hue: expected a shift of -0.5 to 0.5, got {}", shift));
  const int64_t channels = image.channels();
  if (channels == 1) return image;
  const auto turn = static_cast<uint8_t>(static_cast<int>(shift * 255));
  Image result(image.height(), image.width(), channels);
  const uint8_t* from = image.row(0);
  uint8_t* to = result.mutable_row(0);
  for (int64_t i = 0; i < image.height() * image.width(); ++i, from += channels, to += channels) {
    turn_hue(from, turn, to);
    if (channels == 4) to[3] = from[3];
  }
  return result;
}

}  // namespace tapetum::data
