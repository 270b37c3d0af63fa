#include "data/image.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/ops/view.h"
#include "core/serialization/atomic_file.h"
#include "data/codec.h"
#include "data/exif.h"
#include "data/file.h"
#include "data/pixels/clones.h"

namespace tapetum::data {
namespace {

bool is_channel_count(int64_t n) { return n == 1 || n == 3 || n == 4; }

// ITU-R 601, in 16 bits of fraction; the weights add up to one.
inline uint8_t luma(const uint8_t* rgb) { return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16); }

// The most common conversions, of n pixels: with the number of channels known, the compiler takes the colours apart in registers.
TAPETUM_PIXEL_LOOP void rgb_to_gray(const uint8_t* __restrict from, uint8_t* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = luma(from + 3 * i);
}
TAPETUM_PIXEL_LOOP void gray_to_rgb(const uint8_t* __restrict from, uint8_t* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[3 * i] = to[3 * i + 1] = to[3 * i + 2] = from[i];
}

void convert_pixel(const uint8_t* from, int64_t from_channels, uint8_t* to, int64_t to_channels) {
  if (to_channels == 1) {
    to[0] = luma(from);
    return;
  }
  for (int i = 0; i < 3; ++i) to[i] = from[from_channels == 1 ? 0 : i];
  if (to_channels == 4) to[3] = 255;
}

}  // namespace

Image::Image(int64_t height, int64_t width, int64_t channels) : Image(empty({height, width, channels}, DType::u8)) {}

Image::Image(const Tensor& pixels) {
  if (pixels.dtype() != DType::u8) throw DTypeError(fmt::format("image: expected u8 pixels, got {}", name_of(pixels.dtype())));
  if (pixels.dim() != 3 || !is_channel_count(pixels.size(2)) || pixels.numel() == 0)
    throw ShapeError(fmt::format("image: expected [height, width, 1, 3 or 4 channels], got {}", to_string(pixels.shape())));
  pixels_ = contiguous(pixels);
}

void bad_image(const std::string& name, std::string_view reason) { throw FormatError(fmt::format("image: {}: {}", name, reason)); }

void check_size(const std::string& name, int64_t height, int64_t width, size_t bytes, int64_t pixels_per_byte) {
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide || height * width > kMaxPixels)
    bad_image(name, fmt::format("expected 1 to {} pixels a side and at most {} in all, got {} x {}", kMaxSide, kMaxPixels, width, height));
  if (height * width / pixels_per_byte > static_cast<int64_t>(bytes))
    bad_image(name, fmt::format("is truncated: {} bytes cannot hold {} x {} pixels", bytes, width, height));
}

Image decode_image(std::string_view bytes, const std::string& name, const ImageOptions& options) {
  const int orientation = options.exif_orientation ? exif_orientation(bytes) : 1;
  const Size2 wanted = options.at_least, at_least = swaps_sides(orientation) ? Size2(wanted.w, wanted.h) : wanted;
  Image image = is_jpeg(bytes) ? decode_jpeg(bytes, name, at_least) : is_png(bytes) ? decode_png(bytes, name) : decode_stb(bytes, name);
  if (options.channels != 0) image = convert_channels(image, options.channels);
  return upright(image, orientation);
}

Image decode_image(std::string_view bytes, const std::string& name, int channels, Size2 at_least) {
  return decode_image(bytes, name, ImageOptions{channels, at_least});
}

Image read_image(const std::string& path, const ImageOptions& options) { return decode_image(read_file(path), path, options); }

Image read_image(const std::string& path, int channels, Size2 at_least) { return read_image(path, ImageOptions{channels, at_least}); }

Image convert_channels(const Image& image, int channels) {
  if (!is_channel_count(channels)) throw ShapeError(fmt::format("image: expected 1, 3 or 4 channels, got {}", channels));
  if (image.channels() == channels) return image;
  Image result(image.height(), image.width(), channels);
  const int64_t n = image.height() * image.width(), old = image.channels();
  const uint8_t* from = image.row(0);
  uint8_t* to = result.mutable_row(0);
  if (old == 3 && channels == 1)
    rgb_to_gray(from, to, n);
  else if (old == 1 && channels == 3)
    gray_to_rgb(from, to, n);
  else
    for (int64_t i = 0; i < n; ++i) convert_pixel(from + i * old, old, to + i * channels, channels);
  return result;
}

Tensor decode_labels(std::string_view bytes, const std::string& name) {
  if (is_png(bytes))
    if (const Tensor labels = decode_png_labels(bytes, name); labels.defined()) return labels;
  const Image image = decode_image(bytes, name, 0);
  Tensor labels = empty({image.height(), image.width()}, DType::i64);
  int64_t* to = labels.mutable_data<int64_t>();
  const uint8_t* from = image.row(0);
  for (int64_t i = 0; i < labels.numel(); ++i, from += image.channels()) {
    if (image.channels() > 1 && (from[0] != from[1] || from[0] != from[2]))
      bad_image(name,
                fmt::format(
                    "expected class ids (gray, palette, or three equal channels) or a list of colours, got the colour {} {} {} at row {}, column {}",
                    from[0], from[1], from[2], i / image.width(), i % image.width()));
    to[i] = from[0];
  }
  return labels;
}

Tensor read_labels(const std::string& path) { return decode_labels(read_file(path), path); }

void write_png(const std::string& path, const Image& image) { write_file_atomically(path, encode_png(image)); }
void write_jpeg(const std::string& path, const Image& image, int quality) { write_file_atomically(path, encode_jpeg(image, quality)); }

Tensor to_float(const Image& image) {
  const int64_t channels = image.channels(), pixels = image.height() * image.width();
  Tensor result = empty({channels, image.height(), image.width()});
  float* to = result.mutable_data<float>();
  const uint8_t* from = image.row(0);
  for (int64_t i = 0; i < pixels; ++i)
    for (int64_t c = 0; c < channels; ++c) to[c * pixels + i] = static_cast<float>(from[i * channels + c]) / 255;
  return result;
}

Image from_float(const Tensor& image) {
  if (image.dtype() != DType::f32 || image.dim() != 3)
    throw ShapeError(fmt::format("from_float: expected f32 [channels, height, width], got {} {}", name_of(image.dtype()), to_string(image.shape())));
  const Tensor dense = contiguous(image);
  const int64_t channels = image.size(0), pixels = image.size(1) * image.size(2);
  Image result(image.size(1), image.size(2), channels);
  uint8_t* to = result.mutable_row(0);
  const float* from = dense.data<float>();
  for (int64_t i = 0; i < pixels; ++i)
    for (int64_t c = 0; c < channels; ++c) {
      const float v = from[c * pixels + i];
      to[i * channels + c] = v > 0 ? static_cast<uint8_t>(std::lround(std::min(v, 1.f) * 255)) : 0;
    }
  return result;
}

}  // namespace tapetum::data
