#include "data/pixels/warp.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "data/pixels/clones.h"

namespace tapetum::data {
namespace {

constexpr float kFar = 1e8f;  // beyond every picture; floats up to here convert to whole numbers

float tame(float v) { return v > -kFar && v < kFar ? v : -kFar; }  // NaN is far outside

struct Place {
  int64_t y, x;
};
Place nearest(const PixelMap& map, size_t i) {
  return {static_cast<int64_t>(std::floor(tame(map.y.values[i]) + 0.5f)), static_cast<int64_t>(std::floor(tame(map.x.values[i]) + 0.5f))};
}

// The pixel that stands at (y, x), or the fill.
const uint8_t* pixel_at(const Image& image, int64_t y, int64_t x, Border border, const Fill& fill) {
  const int64_t iy = border_index(y, image.height(), border), ix = border_index(x, image.width(), border);
  return iy < 0 || ix < 0 ? fill.values : image.row(iy) + ix * image.channels();
}

using Bytes = uint8_t __attribute__((vector_size(16)));
using Words = uint32_t __attribute__((vector_size(16)));
using Ints = int32_t __attribute__((vector_size(16)));
using Floats = float __attribute__((vector_size(16)));

// Four bytes as floats: a pixel of up to four channels, and what follows it.
inline __attribute__((always_inline)) Floats widened(const uint8_t* p) {
  uint32_t four;
  std::memcpy(&four, p, sizeof(four));
  const auto bytes = (Bytes)Words{four, 0, 0, 0};
  const Bytes words = __builtin_shufflevector(bytes, Bytes{}, 0, 16, 16, 16, 1, 16, 16, 16, 2, 16, 16, 16, 3, 16, 16, 16);
  return __builtin_convertvector((Ints)words, Floats);
}

// n pixels of a row; the places of all are `x` and `y`. Pixels whose four neighbours, and a byte more, are inside are read as they stand.
template <int64_t kChannels>
inline __attribute__((always_inline)) void sample_row(const Image& image, const float* xs, const float* ys, int64_t n, Border border,
                                                      const Fill& fill, uint8_t* to) {
  const int64_t h = image.height(), w = image.width(), stride = w * kChannels;
  const uint8_t* pixels = image.row(0);
  for (int64_t i = 0; i < n; ++i, to += kChannels) {
    const float at_x = tame(xs[i]), at_y = tame(ys[i]);
    auto x = static_cast<int64_t>(at_x), y = static_cast<int64_t>(at_y);
    x -= at_x < static_cast<float>(x), y -= at_y < static_cast<float>(y);  // rounded down
    const float px = at_x - static_cast<float>(x), py = at_y - static_cast<float>(y);
    const uint8_t *a, *b, *c, *d;
    uint8_t copies[4][4] = {};
    if (x >= 0 && y >= 0 && x + 2 < w && y + 2 < h) {
      a = pixels + y * stride + x * kChannels, b = a + kChannels, c = a + stride, d = c + kChannels;
    } else {
      for (int64_t k = 0; k < 4; ++k) std::memcpy(copies[k], pixel_at(image, y + k / 2, x + k % 2, border, fill), kChannels);
      a = copies[0], b = copies[1], c = copies[2], d = copies[3];
    }
    if constexpr (kChannels == 1) {
      const float upper = *a + px * static_cast<float>(*b - *a), lower = *c + px * static_cast<float>(*d - *c);
      *to = static_cast<uint8_t>(upper + py * (lower - upper) + 0.5f);
    } else {
      const Floats fa = widened(a), fc = widened(c), upper = fa + px * (widened(b) - fa), lower = fc + px * (widened(d) - fc);
      const auto made = __builtin_convertvector(upper + py * (lower - upper) + 0.5f, Ints);
      for (int64_t k = 0; k < kChannels; ++k) to[k] = static_cast<uint8_t>(made[k]);
    }
  }
}

// For each number of channels, so that the compiler can make each for AVX2, too.
TAPETUM_PIXEL_LOOP void sample_row1(const Image& image, const float* x, const float* y, int64_t n, Border border, const Fill& fill, uint8_t* to) {
  sample_row<1>(image, x, y, n, border, fill, to);
}
TAPETUM_PIXEL_LOOP void sample_row3(const Image& image, const float* x, const float* y, int64_t n, Border border, const Fill& fill, uint8_t* to) {
  sample_row<3>(image, x, y, n, border, fill, to);
}
TAPETUM_PIXEL_LOOP void sample_row4(const Image& image, const float* x, const float* y, int64_t n, Border border, const Fill& fill, uint8_t* to) {
  sample_row<4>(image, x, y, n, border, fill, to);
}

// Places of a row of a map: affine ones go on in even steps.
TAPETUM_PIXEL_LOOP void affine_row(double x, double y, double step_x, double step_y, float* to_x, float* to_y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const auto k = static_cast<double>(static_cast<int32_t>(i));
    to_x[i] = static_cast<float>(x + step_x * k);
    to_y[i] = static_cast<float>(y + step_y * k);
  }
}

TAPETUM_PIXEL_LOOP void projective_row(const double* m, double y, float* to_x, float* to_y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<double>(static_cast<int32_t>(i));
    const double w = 1 / (m[6] * x + m[7] * y + m[8]);
    to_x[i] = static_cast<float>((m[0] * x + m[1] * y + m[2]) * w);
    to_y[i] = static_cast<float>((m[3] * x + m[4] * y + m[5]) * w);
  }
}

template <class T> void sample_labels(const Tensor& labels, const PixelMap& map, Border border, int64_t fill, T* to) {
  const int64_t h = labels.size(0), w = labels.size(1);
  const T* from = labels.data<T>();
  for (size_t i = 0; i < map.x.values.size(); ++i) {
    const Place at = nearest(map, i);
    const int64_t y = border_index(at.y, h, border), x = border_index(at.x, w, border);
    to[i] = y < 0 || x < 0 ? static_cast<T>(fill) : from[y * w + x];
  }
}

}  // namespace

const char* name_of(Sampling sampling) {
  constexpr const char* kNames[] = {"nearest", "bilinear"};
  return static_cast<size_t>(sampling) < std::size(kNames) ? kNames[static_cast<size_t>(sampling)] : nullptr;
}

std::array<double, 2> Projection::operator()(double x, double y) const {
  const double w = m[6] * x + m[7] * y + m[8];
  return {(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w};
}

Projection operator*(const Projection& a, const Projection& b) {
  Projection p;
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) p.m[3 * i + j] = a.m[3 * i] * b.m[j] + a.m[3 * i + 1] * b.m[3 + j] + a.m[3 * i + 2] * b.m[6 + j];
  return p;
}

Projection Projection::inverse() const {
  const auto minor = [&](size_t a, size_t b, size_t c, size_t d) { return m[a] * m[d] - m[b] * m[c]; };
  const double det = m[0] * minor(4, 5, 7, 8) - m[1] * minor(3, 5, 6, 8) + m[2] * minor(3, 4, 6, 7);
  if (!(std::abs(det) > 1e-12)) throw Error(fmt::format("projection: expected one that can be undone, got a determinant of {}", det));
  Projection p;
  p.m = {minor(4, 5, 7, 8),  -minor(1, 2, 7, 8), minor(1, 2, 4, 5),  -minor(3, 5, 6, 8), minor(0, 2, 6, 8),
         -minor(0, 2, 3, 5), minor(3, 4, 6, 7),  -minor(0, 1, 6, 7), minor(0, 1, 3, 4)};
  for (double& v : p.m) v /= det;
  return p;
}

Projection translation(double x, double y) { return {{1, 0, x, 0, 1, y, 0, 0, 1}}; }
Projection scaling(double x, double y) { return {{x, 0, 0, 0, y, 0, 0, 0, 1}}; }
Projection shearing(double x_by_y, double y_by_x) { return {{1, x_by_y, 0, y_by_x, 1, 0, 0, 0, 1}}; }

Projection rotation(double degrees) {
  const double angle = degrees * std::numbers::pi / 180, c = std::cos(angle), s = std::sin(angle);
  return {{c, -s, 0, s, c, 0, 0, 0, 1}};
}

// Eight equations for eight coefficients, by elimination with the largest pivot.
Projection between(const std::array<std::array<double, 2>, 4>& from, const std::array<std::array<double, 2>, 4>& to) {
  double a[8][9];
  for (size_t i = 0; i < 4; ++i) {
    const auto [x, y] = from[i];
    const auto [u, v] = to[i];
    const double rows[2][9] = {{x, y, 1, 0, 0, 0, -x * u, -y * u, u}, {0, 0, 0, x, y, 1, -x * v, -y * v, v}};
    std::memcpy(a[2 * i], rows, sizeof(rows));
  }
  for (size_t k = 0; k < 8; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < 8; ++i)
      if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
    if (!(std::abs(a[pivot][k]) > 1e-9)) throw Error("projection: expected four points of which no three lie on a line");
    for (size_t j = 0; j < 9; ++j) std::swap(a[k][j], a[pivot][j]);
    for (size_t i = 0; i < 8; ++i)
      for (size_t j = 9; i != k && j-- > k;) a[i][j] -= a[i][k] / a[k][k] * a[k][j];
  }
  Projection p;
  for (size_t k = 0; k < 8; ++k) p.m[k] = a[k][8] / a[k][k];
  return p;
}

PixelMap map_of(const Projection& p, Size2 size) {
  PixelMap map{Plane(size), Plane(size)};
  const bool affine = p.m[6] == 0 && p.m[7] == 0 && p.m[8] == 1;
  for (int64_t row = 0; row < size.h; ++row) {
    const auto y = static_cast<double>(row);
    float *to_x = map.x.values.data() + row * size.w, *to_y = map.y.values.data() + row * size.w;
    if (affine)
      affine_row(p.m[1] * y + p.m[2], p.m[4] * y + p.m[5], p.m[0], p.m[3], to_x, to_y, size.w);
    else
      projective_row(p.m.data(), y, to_x, to_y, size.w);
  }
  return map;
}

Image remap(const Image& image, const PixelMap& map, Sampling sampling, Border border, Fill fill) {
  const int64_t channels = image.channels();
  Image result(map.size().h, map.size().w, channels);
  uint8_t* to = result.mutable_row(0);
  if (sampling == Sampling::nearest) {
    for (size_t i = 0; i < map.x.values.size(); ++i, to += channels) {
      const Place at = nearest(map, i);
      std::memcpy(to, pixel_at(image, at.y, at.x, border, fill), static_cast<size_t>(channels));
    }
  } else {
    const auto sample = channels == 1 ? sample_row1 : channels == 3 ? sample_row3 : sample_row4;
    sample(image, map.x.values.data(), map.y.values.data(), map.size().h * map.size().w, border, fill, to);
  }
  return result;
}

Tensor remap(const Tensor& labels, const PixelMap& map, Border border, int64_t fill) {
  if (labels.dim() != 2 || labels.numel() == 0) throw ShapeError(fmt::format("remap: expected labels [H, W], got {}", to_string(labels.shape())));
  const Tensor dense = contiguous(labels);
  Tensor result = empty({map.size().h, map.size().w}, labels.dtype());
  switch (labels.dtype()) {
    case DType::u8:
      sample_labels(dense, map, border, fill, result.mutable_data<uint8_t>());
      break;
    case DType::i32:
      sample_labels(dense, map, border, fill, result.mutable_data<int32_t>());
      break;
    case DType::i64:
      sample_labels(dense, map, border, fill, result.mutable_data<int64_t>());
      break;
    default:
      throw DTypeError(fmt::format("remap: expected labels of u8, i32 or i64, got {}", name_of(labels.dtype())));
  }
  return result;
}

}  // namespace tapetum::data
