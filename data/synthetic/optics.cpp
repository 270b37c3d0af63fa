#include "data/synthetic/optics.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/blur.h"
#include "data/white_noise.h"

namespace tapetum::data {

Plane draw_illumination(RandomStream& stream, Size2 size) {
  const double longest = static_cast<double>(std::max(size.h, size.w));
  const double slope = stream.uniform(0.1, 0.35), direction = stream.uniform(0, 2 * std::numbers::pi), vignette = stream.uniform(0.05, 0.25);
  const double dy = slope * std::sin(direction), dx = slope * std::cos(direction);
  Plane light = smooth_noise(stream, size, longest / 2);
  for (int64_t y = 0; y < size.h; ++y)
    for (int64_t x = 0; x < size.w; ++x) {
      const double v = (static_cast<double>(y) + 0.5) / static_cast<double>(size.h) - 0.5,
                   u = (static_cast<double>(x) + 0.5) / static_cast<double>(size.w) - 0.5;
      light(y, x) = static_cast<float>(std::max(0.3, 1 + 0.08 * light(y, x) + dy * v + dx * u - vignette * 2 * (u * u + v * v)));
    }
  return light;
}

void expose(RandomStream& stream, Planes& scene, const Camera& camera) {
  std::vector<float> noise(scene[0].values.size());
  for (Plane& plane : scene) {
    gaussian_blur(plane.values.data(), plane.size.h, plane.size.w, camera.blur);
    fill_normal(stream, noise.data(), noise.size());
    for (size_t i = 0; i < noise.size(); ++i) {
      float& v = plane.values[i];
      const double signal = std::max(0.f, v), deviation = std::sqrt(signal / camera.photons + camera.read_noise * camera.read_noise);
      v = static_cast<float>(std::clamp(signal + deviation * noise[i], 0.0, 1.0));
    }
  }
}

}  // namespace tapetum::data
