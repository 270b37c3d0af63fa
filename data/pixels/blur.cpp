#include "data/pixels/blur.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "data/pixels/clones.h"
#include "data/pixels/geometry.h"

namespace tapetum::data {
namespace {

// Weights that add up to 256, and whose rounding errors are carried on from the outside to the middle.
std::vector<uint16_t> gaussian_weights(double sigma, int64_t size) {
  const int64_t half = size / 2;
  std::vector<double> exact(static_cast<size_t>(size));
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    const auto x = static_cast<double>(i - half);
    sum += exact[static_cast<size_t>(i)] = std::exp(-x * x / (2 * sigma * sigma));
  }
  std::vector<uint16_t> weights(exact.size());
  double error = 0;
  int64_t outside = 0;
  for (size_t i = 0; i < static_cast<size_t>(half); ++i) {
    const double v = exact[i] / sum * 256 + error;
    const auto whole = std::lrint(v);
    error = v - static_cast<double>(whole);
    weights[i] = weights[weights.size() - 1 - i] = static_cast<uint16_t>(whole);
    outside += 2 * whole;
  }
  weights[static_cast<size_t>(half)] = static_cast<uint16_t>(256 - outside);
  return weights;
}

// to[i] += weight * from[i]. The sums of all weights and 8 bits fit into 16.
TAPETUM_PIXEL_LOOP void add_row(const uint8_t* __restrict from, uint16_t weight, uint16_t* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<uint16_t>(to[i] + weight * from[i]);
}

TAPETUM_PIXEL_LOOP void add_wide_row(const uint16_t* __restrict from, uint32_t weight, uint32_t* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += weight * from[i];
}

TAPETUM_PIXEL_LOOP void round_row(const uint32_t* __restrict from, uint8_t* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<uint8_t>(from[i] >> 16);
}

TAPETUM_PIXEL_LOOP void add_scaled_row(const uint8_t* __restrict from, float weight, float* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += weight * static_cast<float>(from[i]);
}

TAPETUM_PIXEL_LOOP void add_scaled_floats(const float* __restrict from, float weight, float* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += weight * from[i];
}

// Rounded, ties to even, by adding a number above which floats are whole.
TAPETUM_PIXEL_LOOP void round_floats(const float* __restrict from, uint8_t* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const float v = std::min(std::max(from[i], 0.f), 255.f) + 0x1p23f;
    to[i] = static_cast<uint8_t>(static_cast<int32_t>(v - 0x1p23f));
  }
}

using Bytes = uint8_t __attribute__((vector_size(32)));

inline __attribute__((always_inline)) void order(Bytes& low, Bytes& high) {
  const Bytes least = low < high ? low : high;
  high = low < high ? high : low;
  low = least;
}

// Of nine: with each column of three in order, the middle one of the largest least, the middle middle and the least largest (Smith, 1996).
TAPETUM_PIXEL_LOOP void median9_block(const uint8_t* const* rows, int64_t at, uint8_t* to) {
  Bytes v[3][3];  // column, then rank
  for (int x = 0; x < 3; ++x) {
    for (int y = 0; y < 3; ++y) std::memcpy(&v[x][y], rows[3 * y + x] + at, sizeof(Bytes));
    order(v[x][0], v[x][1]);
    order(v[x][1], v[x][2]);
    order(v[x][0], v[x][1]);
  }
  order(v[0][0], v[1][0]);
  order(v[1][0], v[2][0]);
  order(v[0][1], v[1][1]);
  order(v[1][1], v[2][1]);
  order(v[0][1], v[1][1]);
  order(v[1][2], v[2][2]);
  order(v[0][2], v[1][2]);
  Bytes a = v[2][0], b = v[1][1], c = v[0][2];
  order(a, b);
  order(b, c);
  order(a, b);
  std::memcpy(to, &b, sizeof(b));
}

// The middle one of `count` bytes rows[k][at + i]: its bits from the highest on, each by counting how many are not below.
TAPETUM_PIXEL_LOOP void median_block(const uint8_t* const* rows, int count, int64_t at, uint8_t* to) {
  const auto middle = static_cast<uint8_t>(count / 2);
  Bytes found = {};
  for (int bit = 128; bit; bit >>= 1) {
    const Bytes tried = found | static_cast<uint8_t>(bit);
    Bytes below = {};
    for (int k = 0; k < count; ++k) {
      Bytes v;
      std::memcpy(&v, rows[k] + at, sizeof(v));
      below -= (Bytes)(v < tried);  // true is -1
    }
    found = below > middle ? found : tried;
  }
  std::memcpy(to, &found, sizeof(found));
}

void check_odd(const char* op, int64_t size, int64_t least, int64_t most) {
  if (size % 2 == 0 || size < least || size > most) throw Error(fmt::format("{}: expected an odd size of {} to {}, got {}", op, least, most, size));
}

}  // namespace

Image gaussian_blur(const Image& image, double sigma, int64_t size) {
  if (!(sigma > 0 && sigma < 1000)) throw Error(fmt::format("gaussian_blur: expected a sigma above 0 and below 1000, got {}", sigma));
  if (size == 0) size = std::lrint(sigma * 6 + 1) | 1;
  check_odd("gaussian_blur", size, 1, 8191);
  const std::vector<uint16_t> weights = gaussian_weights(sigma, size);
  const int64_t half = size / 2, h = image.height(), channels = image.channels(), bytes = image.width() * channels;
  const Image wide = pad(image, 0, 0, half, half, Border::reflect);
  std::vector<uint16_t> rows(static_cast<size_t>(h * bytes));
  for (int64_t y = 0; y < h; ++y)
    for (int64_t k = 0; k < size; ++k)
      if (weights[static_cast<size_t>(k)]) add_row(wide.row(y) + k * channels, weights[static_cast<size_t>(k)], rows.data() + y * bytes, bytes);
  Image result(h, image.width(), channels);
  std::vector<uint32_t> sums(static_cast<size_t>(bytes));
  for (int64_t y = 0; y < h; ++y) {
    std::fill(sums.begin(), sums.end(), 1U << 15);
    for (int64_t k = 0; k < size; ++k)
      if (weights[static_cast<size_t>(k)])
        add_wide_row(rows.data() + border_index(y + k - half, h, Border::reflect) * bytes, weights[static_cast<size_t>(k)], sums.data(), bytes);
    round_row(sums.data(), result.mutable_row(y), bytes);
  }
  return result;
}

Image median_blur(const Image& image, int64_t size) {
  check_odd("median_blur", size, 3, 15);
  const int64_t half = size / 2, channels = image.channels(), bytes = image.width() * channels;
  const Image wide = pad(image, half, half, half, half, Border::replicate);
  Image result(image.height(), image.width(), channels);
  std::vector<const uint8_t*> rows(static_cast<size_t>(size * size));
  constexpr auto kBlock = static_cast<int64_t>(sizeof(Bytes));
  std::vector<uint8_t> line(static_cast<size_t>(bytes + kBlock)),
      source(static_cast<size_t>(wide.tensor().numel() + kBlock));  // with room for a block
  std::memcpy(source.data(), wide.row(0), static_cast<size_t>(wide.tensor().numel()));
  for (int64_t y = 0; y < image.height(); ++y) {
    for (int64_t k = 0; k < size * size; ++k)
      rows[static_cast<size_t>(k)] = source.data() + (y + k / size) * wide.width() * channels + k % size * channels;
    for (int64_t at = 0; at < bytes; at += kBlock)
      size == 3 ? median9_block(rows.data(), at, line.data() + at) : median_block(rows.data(), static_cast<int>(rows.size()), at, line.data() + at);
    std::memcpy(result.mutable_row(y), line.data(), static_cast<size_t>(bytes));
  }
  return result;
}

Image filter_separable(const Image& image, const std::vector<float>& weights) {
  const auto size = static_cast<int64_t>(weights.size());
  check_odd("filter_separable", size, 1, 8191);
  const int64_t half = size / 2, h = image.height(), channels = image.channels(), bytes = image.width() * channels;
  const Image wide = pad(image, 0, 0, half, half, Border::reflect);
  std::vector<float> rows(static_cast<size_t>(h * bytes)), sums(static_cast<size_t>(bytes));
  for (int64_t y = 0; y < h; ++y)
    for (int64_t k = 0; k < size; ++k) add_scaled_row(wide.row(y) + k * channels, weights[static_cast<size_t>(k)], rows.data() + y * bytes, bytes);
  Image result(h, image.width(), channels);
  for (int64_t y = 0; y < h; ++y) {
    std::fill(sums.begin(), sums.end(), 0.f);
    for (int64_t k = 0; k < size; ++k)
      add_scaled_floats(rows.data() + border_index(y + k - half, h, Border::reflect) * bytes, weights[static_cast<size_t>(k)], sums.data(), bytes);
    round_floats(sums.data(), result.mutable_row(y), bytes);
  }
  return result;
}

Image filter_image(const Image& image, const std::vector<float>& kernel, int64_t size) {
  check_odd("filter_image", size, 1, 255);
  if (static_cast<int64_t>(kernel.size()) != size * size)
    throw ShapeError(fmt::format("filter_image: expected a kernel of {} x {} numbers, got {}", size, size, kernel.size()));
  const int64_t half = size / 2, channels = image.channels(), bytes = image.width() * channels;
  const Image wide = pad(image, half, half, half, half, Border::reflect);
  Image result(image.height(), image.width(), channels);
  std::vector<float> sums(static_cast<size_t>(bytes));
  for (int64_t y = 0; y < image.height(); ++y) {
    std::fill(sums.begin(), sums.end(), 0.f);
    for (int64_t k = 0; k < size * size; ++k)
      if (const float weight = kernel[static_cast<size_t>(k)]; weight != 0)
        add_scaled_row(wide.row(y + k / size) + k % size * channels, weight, sums.data(), bytes);
    round_floats(sums.data(), result.mutable_row(y), bytes);
  }
  return result;
}

}  // namespace tapetum::data
