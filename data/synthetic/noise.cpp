#include "data/synthetic/noise.h"

#include <cmath>

#include "data/white_noise.h"

namespace tapetum::data {
namespace {

struct Step {
  int64_t cell;
  float weight;  // of the next lattice point
};

std::vector<Step> steps(int64_t n, double spacing, double shift) {
  std::vector<Step> result(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    const double at = static_cast<double>(i) / spacing + shift, t = at - std::floor(at);
    result[static_cast<size_t>(i)] = {static_cast<int64_t>(at), static_cast<float>(t * t * (3 - 2 * t))};
  }
  return result;
}

void add_octave(Plane& plane, RandomStream& stream, double spacing, float amplitude) {
  const double shift_y = stream.uniform(), shift_x = stream.uniform();
  const auto ys = steps(plane.size.h, spacing, shift_y), xs = steps(plane.size.w, spacing, shift_x);
  Plane lattice(Size2(ys.back().cell + 2, xs.back().cell + 2));
  fill_normal(stream, lattice.values.data(), lattice.values.size());
  for (int64_t y = 0; y < plane.size.h; ++y) {
    const auto [cy, wy] = ys[static_cast<size_t>(y)];
    for (int64_t x = 0; x < plane.size.w; ++x) {
      const auto [cx, wx] = xs[static_cast<size_t>(x)];
      const float top = std::lerp(lattice(cy, cx), lattice(cy, cx + 1), wx), bottom = std::lerp(lattice(cy + 1, cx), lattice(cy + 1, cx + 1), wx);
      plane(y, x) += amplitude * std::lerp(top, bottom, wy);
    }
  }
}

}  // namespace

Plane smooth_noise(RandomStream& stream, Size2 size, double spacing, int octaves) {
  Plane plane(size);
  float amplitude = 1;
  for (int i = 0; i < octaves; ++i, spacing /= 2, amplitude /= 2) add_octave(plane, stream, spacing, amplitude);
  return plane;
}

}  // namespace tapetum::data
