#include "data/pixels/warp.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"

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

template <int64_t kChannels> void sample_bilinear(const Image& image, const PixelMap& map, Border border, const Fill& fill, uint8_t* to) {
  const int64_t h = image.height(), w = image.width();
  for (size_t i = 0; i < map.x.values.size(); ++i, to += kChannels) {
    const float at_x = tame(map.x.values[i]), at_y = tame(map.y.values[i]), fx = std::floor(at_x), fy = std::floor(at_y);
    const auto x = static_cast<int64_t>(fx), y = static_cast<int64_t>(fy);
    const float px = at_x - fx, py = at_y - fy;
    const uint8_t *a, *b, *c, *d;
    if (x >= 0 && y >= 0 && x + 1 < w && y + 1 < h) {
      a = image.row(y) + x * kChannels, b = a + kChannels, c = a + w * kChannels, d = c + kChannels;
    } else {
      a = pixel_at(image, y, x, border, fill), b = pixel_at(image, y, x + 1, border, fill);
      c = pixel_at(image, y + 1, x, border, fill), d = pixel_at(image, y + 1, x + 1, border, fill);
    }
    for (int64_t k = 0; k < kChannels; ++k) {
      const float upper = a[k] + px * static_cast<float>(b[k] - a[k]), lower = c[k] + px * static_cast<float>(d[k] - c[k]);
      to[k] = static_cast<uint8_t>(upper + py * (lower - upper) + 0.5f);
    }
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
  size_t i = 0;
  for (int64_t y = 0; y < size.h; ++y)
    for (int64_t x = 0; x < size.w; ++x, ++i) {
      const auto [sx, sy] = p(static_cast<double>(x), static_cast<double>(y));
      map.x.values[i] = static_cast<float>(sx), map.y.values[i] = static_cast<float>(sy);
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
  } else if (channels == 1) {
    sample_bilinear<1>(image, map, border, fill, to);
  } else if (channels == 3) {
    sample_bilinear<3>(image, map, border, fill, to);
  } else {
    sample_bilinear<4>(image, map, border, fill, to);
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
