#include "data/blur.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/pixels/clones.h"

namespace tapetum::data {
namespace {

std::vector<float> half_kernel(double deviation) {
  std::vector<float> k(static_cast<size_t>(std::ceil(3 * deviation)) + 1);
  double sum = 0;
  for (size_t i = 0; i < k.size(); ++i) {
    k[i] = static_cast<float>(std::exp(-0.5 * static_cast<double>(i * i) / (deviation * deviation)));
    sum += (i ? 2 : 1) * k[i];
  }
  for (float& x : k) x = static_cast<float>(x / sum);
  return k;
}

// One line of n elements, `padded` holding it with `radius` mirrored elements on either side.
TAPETUM_PIXEL_LOOP void convolve(const float* __restrict kernel, int64_t radius, const float* __restrict padded, float* __restrict out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = kernel[0] * padded[i + radius];
  for (int64_t r = 1; r <= radius; ++r)
    for (int64_t i = 0; i < n; ++i) out[i] += kernel[r] * (padded[i + radius - r] + padded[i + radius + r]);
}

TAPETUM_PIXEL_LOOP void add_scaled(const float* __restrict from, float weight, float* __restrict out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] += weight * from[i];
}

}  // namespace

void gaussian_blur(float* plane, int64_t height, int64_t width, double deviation) {
  if (!(deviation > 0)) return;
  const std::vector<float> kernel = half_kernel(deviation);
  const auto radius = static_cast<int64_t>(kernel.size()) - 1;
  std::vector<float> padded(static_cast<size_t>(width + 2 * radius));
  for (int64_t y = 0; y < height; ++y) {
    float* row = plane + y * width;
    for (int64_t i = -radius; i < width + radius; ++i) padded[static_cast<size_t>(i + radius)] = row[mirror(i, width)];
    convolve(kernel.data(), radius, padded.data(), row, width);
  }
  const std::vector<float> rows(plane, plane + height * width);  // columns, a whole row at a time
  for (int64_t y = 0; y < height; ++y) {
    float* out = plane + y * width;
    std::fill(out, out + width, 0.f);
    for (int64_t r = -radius; r <= radius; ++r) {
      add_scaled(rows.data() + mirror(y + r, height) * width, kernel[static_cast<size_t>(std::abs(r))], out, width);
    }
  }
}

}  // namespace tapetum::data
