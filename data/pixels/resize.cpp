#include "data/pixels/resize.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "core/ops/view.h"
#include "data/pixels/clones.h"

namespace tapetum::data {
namespace {

constexpr int kBits = 22;       // of a weight: 32 less 8 of the pixel and 2 of room, since windows have negative weights
constexpr int64_t kLanes = 16;  // pixels computed at once
constexpr int64_t kLongest = 32768;

double sinc(double x) { return x == 0 ? 1 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi); }

double cubic(double x, double a) {  // Keys, 1981
  x = std::abs(x);
  return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

double weight(Filter filter, double x, bool antialias) {
  switch (filter) {
    case Filter::box:
      return x > -0.5 && x <= 0.5;
    case Filter::bilinear:
      return std::max(0., 1 - std::abs(x));
    case Filter::hamming:
      return std::abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * std::cos(x * std::numbers::pi)) : 0;
    case Filter::bicubic:
      return cubic(x, antialias ? -0.5 : -0.75);
    default:
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
}

double half_width(Filter filter) { return filter == Filter::box ? 0.5 : filter == Filter::bicubic ? 2 : filter == Filter::lanczos ? 3 : 1; }

// For each new pixel of a line: the first old one, how many, and their weights, `stride` apart.
struct Windows {
  std::vector<int64_t> first, count;
  std::vector<int32_t> weights;
  int64_t stride = 0;
};

Windows windows_of(int64_t from, int64_t to, Filter filter, bool antialias) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), stretch = antialias ? std::max(scale, 1.) : 1;
  const double support = half_width(filter) * stretch;
  Windows w;
  w.stride = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  w.weights.resize(static_cast<size_t>(to * w.stride));
  std::vector<double> exact(static_cast<size_t>(w.stride));
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto begin = static_cast<int64_t>(std::floor(centre - support + 0.5)), end = static_cast<int64_t>(std::floor(centre + support + 0.5));
    const int64_t first = std::clamp<int64_t>(begin, 0, from - 1), last = std::clamp<int64_t>(end - 1, first, from - 1);
    std::fill(exact.begin(), exact.end(), 0.);
    double sum = 0;
    for (int64_t x = antialias ? first : begin; x < (antialias ? last + 1 : end); ++x) {
      const double v = weight(filter, (static_cast<double>(x) - centre + 0.5) * (1 / stretch), antialias);
      exact[static_cast<size_t>(std::clamp(x, first, last) - first)] += v;
      sum += v;
    }
    w.first.push_back(first);
    w.count.push_back(last - first + 1);
    for (int64_t k = 0; k <= last - first; ++k) {
      const double v = exact[static_cast<size_t>(k)] / (sum != 0 ? sum : 1) * (1 << kBits);
      w.weights[static_cast<size_t>(i * w.stride + k)] = static_cast<int32_t>(v + (v < 0 ? -0.5 : 0.5));
    }
  }
  return w;
}

using Bytes = uint8_t __attribute__((vector_size(kLanes)));
using Words = uint16_t __attribute__((vector_size(kLanes)));
using Sums = int32_t __attribute__((vector_size(32)));

// The bytes of sums, those of `a` first.
inline __attribute__((always_inline)) Bytes to_bytes(const Sums& first, const Sums& second) {
  Sums a = first >> kBits, b = second >> kBits;
  a = a < 0 ? 0 : a > 255 ? 255 : a;
  b = b < 0 ? 0 : b > 255 ? 255 : b;
  const auto low = a | b << 16;  // byte 0 of 4 i + j is number i of quarter j, when the upper halves have joined
  const auto quarters = __builtin_shufflevector(low, low, 0, 1, 2, 3) | __builtin_shufflevector(low, low, 4, 5, 6, 7) << 8;
  const auto once = (Bytes)quarters, twice = __builtin_shufflevector(once, once, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  return __builtin_shufflevector(twice, twice, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
}

// to[i] = sum over k of weights[k] from[k * stride + i], for i < n, n a multiple of 16.
TAPETUM_PIXEL_LOOP void weigh(const uint8_t* from, int64_t stride, const int32_t* weights, int64_t count, uint8_t* to, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    Sums a = Sums{} + (1 << (kBits - 1)), b = a;
    for (int64_t k = 0; k < count; ++k) {
      Bytes bytes;
      std::memcpy(&bytes, from + k * stride + i, sizeof(bytes));
      const auto low = (Words)__builtin_shufflevector(bytes, Bytes{}, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const auto high = (Words)__builtin_shufflevector(bytes, Bytes{}, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      a += weights[k] * __builtin_convertvector(low, Sums);
      b += weights[k] * __builtin_convertvector(high, Sums);
    }
    const Bytes made = to_bytes(a, b);
    std::memcpy(to + i, &made, sizeof(made));
  }
}

// 16 rows of n bytes, `stride` apart, to n columns of 16 bytes, or back.
void transpose_block(const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride) {
  Bytes a[kLanes], b[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) std::memcpy(&a[i], from + i * from_stride, kLanes);
  for (int step = 0; step < 4; ++step) {  // each interleaves rows that lie 8 apart: after four of them every byte is in its place
    for (size_t i = 0; i < kLanes / 2; ++i) {
      b[2 * i] = __builtin_shufflevector(a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    std::memcpy(a, b, sizeof(a));
  }
  for (int64_t i = 0; i < kLanes; ++i) std::memcpy(to + i * to_stride, &a[i], kLanes);
}

int64_t whole(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// Every row to `width` pixels. 16 rows at once, as columns of 16 bytes, so that any number of channels is computed in full registers.
Image resize_rows(const Image& image, int64_t width, const Windows& w) {
  const int64_t channels = image.channels(), h = image.height(), from_bytes = image.width() * channels, to_bytes = width * channels;
  Image result(h, width, channels);
  std::vector<uint8_t> rows(static_cast<size_t>(kLanes * whole(std::max(from_bytes, to_bytes)))), columns(rows.size()), made(rows.size());
  for (int64_t y = 0; y < h; y += kLanes) {
    const int64_t count = std::min(kLanes, h - y), from_stride = whole(from_bytes), to_stride = whole(to_bytes);
    for (int64_t i = 0; i < count; ++i) std::memcpy(rows.data() + i * from_stride, image.row(y + i), static_cast<size_t>(from_bytes));
    for (int64_t x = 0; x < from_bytes; x += kLanes) transpose_block(rows.data() + x, from_stride, columns.data() + x * kLanes, kLanes);
    for (int64_t x = 0; x < width; ++x)
      weigh(columns.data() + w.first[static_cast<size_t>(x)] * channels * kLanes, channels * kLanes, w.weights.data() + x * w.stride,
            w.count[static_cast<size_t>(x)], made.data() + x * channels * kLanes, channels * kLanes);
    for (int64_t x = 0; x < to_bytes; x += kLanes) transpose_block(made.data() + x * kLanes, kLanes, rows.data() + x, to_stride);
    for (int64_t i = 0; i < count; ++i) std::memcpy(result.mutable_row(y + i), rows.data() + i * to_stride, static_cast<size_t>(to_bytes));
  }
  return result;
}

Image resize_columns(const Image& image, int64_t height, const Windows& w) {
  const int64_t bytes = image.width() * image.channels(), full = bytes / kLanes * kLanes;
  Image result(height, image.width(), image.channels());
  std::vector<uint8_t> ends(static_cast<size_t>(w.stride * kLanes));  // what the full registers leave
  uint8_t made[kLanes];
  for (int64_t y = 0; y < height; ++y) {
    const auto i = static_cast<size_t>(y);
    const uint8_t* from = image.row(w.first[i]);
    uint8_t* to = result.mutable_row(y);
    const int32_t* weights = w.weights.data() + y * w.stride;
    weigh(from, bytes, weights, w.count[i], to, full);
    if (full == bytes) continue;
    for (int64_t k = 0; k < w.count[i]; ++k) std::memcpy(ends.data() + k * kLanes, from + k * bytes + full, static_cast<size_t>(bytes - full));
    weigh(ends.data(), kLanes, weights, w.count[i], made, kLanes);
    std::memcpy(to + full, made, static_cast<size_t>(bytes - full));
  }
  return result;
}

void check_size(Size2 size) {
  if (size.h < 1 || size.w < 1 || size.h > kLongest || size.w > kLongest)
    throw ShapeError(fmt::format("resize: expected 1 to {} pixels a side, got {} x {}", kLongest, size.h, size.w));
}

// Where each of `to` pixels is taken from. Pillow adds up the steps, which decides ties.
std::vector<int64_t> nearest_places(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  std::vector<int64_t> places;
  for (double at = step * 0.5; static_cast<int64_t>(places.size()) < to; at += step) places.push_back(std::min(static_cast<int64_t>(at), from - 1));
  return places;
}

// Pixels of `bytes` each.
void take_nearest(const uint8_t* from, Size2 old, uint8_t* to, Size2 size, int64_t bytes) {
  const std::vector<int64_t> ys = nearest_places(old.h, size.h), xs = nearest_places(old.w, size.w);
  for (const int64_t y : ys)
    for (const int64_t x : xs) {
      std::memcpy(to, from + (y * old.w + x) * bytes, static_cast<size_t>(bytes));
      to += bytes;
    }
}

// Colours multiplied by their alpha, and back, rounded as Pillow's modes RGBa and RGBA are.
Image premultiplied(const Image& image) {
  Image result(image.height(), image.width(), 4);
  const uint8_t* from = image.row(0);
  uint8_t* to = result.mutable_row(0);
  for (int64_t i = 0; i < image.height() * image.width(); ++i, from += 4, to += 4) {
    for (int c = 0; c < 3; ++c) {
      const int v = from[c] * from[3] + 128;
      to[c] = static_cast<uint8_t>(((v >> 8) + v) >> 8);
    }
    to[3] = from[3];
  }
  return result;
}

void divide_by_alpha(Image& image) {
  uint8_t* p = image.mutable_row(0);
  for (int64_t i = 0; i < image.height() * image.width(); ++i, p += 4)
    if (p[3] != 0 && p[3] != 255)
      for (int c = 0; c < 3; ++c) p[c] = static_cast<uint8_t>(std::min(255 * p[c] / p[3], 255));
}

}  // namespace

const char* name_of(Filter filter) {
  constexpr const char* kNames[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};
  return static_cast<size_t>(filter) < std::size(kNames) ? kNames[static_cast<size_t>(filter)] : nullptr;
}

Image resize(const Image& image, Size2 size, Filter filter, bool antialias) {
  check_size(size);
  const Size2 old(image.height(), image.width());
  if (size == old) return image;
  if (filter == Filter::nearest) {
    Image result(size.h, size.w, image.channels());
    take_nearest(image.row(0), old, result.mutable_row(0), size, image.channels());
    return result;
  }
  const bool alpha = image.channels() == 4;
  Image result = alpha ? premultiplied(image) : image;
  // Pillow 13 begins with the direction that saves more; a column is worth two rows to it. Rounding between the two shows the order.
  const bool columns_first = size.h < old.h && old.h - size.h > 2 * (old.w - size.w);
  for (const bool columns : {columns_first, !columns_first})
    if (columns && size.h != old.h)
      result = resize_columns(result, size.h, windows_of(old.h, size.h, filter, antialias));
    else if (!columns && size.w != old.w)
      result = resize_rows(result, size.w, windows_of(old.w, size.w, filter, antialias));
  if (alpha) divide_by_alpha(result);
  return result;
}

Tensor resize_nearest(const Tensor& map, Size2 size) {
  check_size(size);
  if (map.dim() != 2 || map.numel() == 0) throw ShapeError(fmt::format("resize: expected a map [H, W], got {}", to_string(map.shape())));
  const Tensor dense = contiguous(map);
  Tensor result = empty({size.h, size.w}, map.dtype());
  take_nearest(static_cast<const uint8_t*>(dense.raw()), {map.size(0), map.size(1)}, static_cast<uint8_t*>(result.mutable_raw()), size,
               static_cast<int64_t>(size_of(map.dtype())));
  return result;
}

}  // namespace tapetum::data
