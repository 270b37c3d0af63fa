#include "data/transforms/distortions.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/blur.h"
#include "data/transforms/targets.h"
#include "data/white_noise.h"

namespace tapetum::data {
namespace {

template <class T> WarpOptions options_of(const T& o) { return {o.interpolation, o.border_mode, o.fill, o.fill_mask}; }

Plane displacement(const ElasticTransform& o, Size2 size, RandomStream& stream) {
  Plane plane(size);
  std::vector<float>& v = plane.values;
  if (o.noise_distribution == Noise::gaussian) {
    fill_normal(stream, v.data(), v.size());
    float largest = 1e-6f;
    for (const float x : v) largest = std::max(largest, std::abs(x));
    for (float& x : v) x /= largest;
  } else {
    for (float& x : v) x = static_cast<float>(stream.bits() >> 8) * 0x1p-23f - 1;
  }
  gaussian_blur(v.data(), size.h, size.w, o.sigma);
  for (float& x : v) x *= static_cast<float>(o.alpha);
  return plane;
}

// Where the pixels of a line come from. The line has `cells` whole cells, and what remains at its end is one more.
std::vector<float> stretched(const GridDistortion& o, int64_t n, RandomStream& stream) {
  const int64_t cells = std::min(o.num_steps, n), cell = n / cells;
  std::vector<double> steps;
  for (int64_t i = 0; i <= cells; ++i) steps.push_back(1 + stream.uniform(o.distort_limit.low, o.distort_limit.high));
  if (o.normalized) {
    steps.back() *= static_cast<double>(n - cells * cell) / static_cast<double>(cell);
    double sum = 0;
    for (const double s : steps) sum += s;
    for (double& s : steps) s *= static_cast<double>(n) / static_cast<double>(cell) / sum;
  }
  std::vector<float> from(static_cast<size_t>(n));
  double begin = 0;
  for (int64_t i = 0; i <= cells; ++i) {
    const int64_t first = i * cell, count = std::min(cell, n - first);
    const double end = begin + static_cast<double>(cell) * steps[static_cast<size_t>(i)];
    for (int64_t k = 0; k < count; ++k)
      from[static_cast<size_t>(first + k)] =
          static_cast<float>(begin + (end - begin) * (count > 1 ? static_cast<double>(k) / static_cast<double>(count - 1) : 0));
    begin = end;
  }
  return from;
}

}  // namespace

const char* name_of(Noise noise) {
  constexpr const char* kNames[] = {"gaussian", "uniform"};
  return static_cast<size_t>(noise) < std::size(kNames) ? kNames[static_cast<size_t>(noise)] : nullptr;
}

void ElasticTransform::check() const {
  if (!(alpha >= 0 && std::isfinite(alpha)) || !(sigma > 0 && sigma <= 1000))
    throw Error(fmt::format("{}: expected alpha of 0 or more and sigma above 0, got {} and {}", kName, alpha, sigma));
}

void ElasticTransform::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const Size2 size(image.height(), image.width());
  PixelMap map{displacement(*this, size, stream), Plane(size)};
  map.y = same_dxdy ? map.x : displacement(*this, size, stream);
  for (int64_t y = 0; y < size.h; ++y)
    for (int64_t x = 0; x < size.w; ++x) map.x(y, x) += static_cast<float>(x), map.y(y, x) += static_cast<float>(y);
  warp_sample(sample, image, map, options_of(*this));
}

void GridDistortion::check() const {
  if (num_steps < 1) throw Error(fmt::format("{}: expected num_steps of 1 or more, got {}", kName, num_steps));
  check_range(kName, "distort_limit", distort_limit, -0.99, 100);
}

void GridDistortion::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const Size2 size(image.height(), image.width());
  const std::vector<float> xs = stretched(*this, size.w, stream), ys = stretched(*this, size.h, stream);
  PixelMap map{Plane(size), Plane(size)};
  for (int64_t y = 0; y < size.h; ++y)
    for (int64_t x = 0; x < size.w; ++x) map.x(y, x) = xs[static_cast<size_t>(x)], map.y(y, x) = ys[static_cast<size_t>(y)];
  warp_sample(sample, image, map, options_of(*this));
}

}  // namespace tapetum::data
