#include "data/synthetic_shapes.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "data/synthetic/noise.h"

namespace tapetum::data {
namespace {

constexpr double kPi = std::numbers::pi;

// Signed distances to outlines about the origin, of size about 1: negative inside. x to the right, y down.

double circle(double x, double y) { return std::hypot(x, y) - 0.9; }
double ring(double x, double y) { return std::abs(std::hypot(x, y) - 0.7) - 0.22; }
double square(double x, double y) { return std::max(std::abs(x), std::abs(y)) - 0.75; }
double cross(double x, double y) {
  x = std::abs(x), y = std::abs(y);
  return std::max(std::max(x, y) - 0.95, std::min(x, y) - 0.3);
}
double crescent(double x, double y) { return std::max(std::hypot(x, y) - 0.95, 0.75 - std::hypot(x - 0.45, y)); }

// A regular polygon of circumradius 1: the distance to the nearest side's line.
double polygon(double x, double y, int corners) {
  const double sector = 2 * kPi / corners, angle = std::remainder(std::atan2(x, y), sector);
  return std::hypot(x, y) * std::cos(angle) - std::cos(sector / 2);
}
double triangle(double x, double y) { return polygon(x, y, 3); }
double hexagon(double x, double y) { return polygon(x, y, 6); }

// Five points at radius 1, with notches at 0.45 between them.
double star(double x, double y) {
  const double sector = 2 * kPi / 5, angle = std::abs(std::remainder(std::atan2(x, y), sector)), r = std::hypot(x, y);
  const double px = r * std::sin(angle), py = r * std::cos(angle);  // the point is at (0, 1), the notch half a sector aside
  const double nx = 0.45 * std::sin(sector / 2), ny = 0.45 * std::cos(sector / 2);
  return (px * (1 - ny) + (py - 1) * nx) / std::hypot(nx, 1 - ny);
}

using Outline = double (*)(double, double);
constexpr Outline kOutlines[] = {circle, square, triangle, hexagon, star, ring, cross, crescent};
constexpr int kClasses = std::size(kOutlines);

using Rgb = std::array<double, 3>;

Rgb random_colour(RandomStream& stream) { return {stream.uniform(), stream.uniform(), stream.uniform()}; }

double distance(const Rgb& a, const Rgb& b) { return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]); }

// Part of a pixel that lies inside, from the distance at its centre in pixels.
double coverage(double distance) { return std::clamp(0.5 - distance, 0.0, 1.0); }

// Where a shape lies, in pixels.
struct Pose {
  double x, y, radius, angle, squeeze;
  double distance(Outline outline, double px, double py) const {
    const double dx = (px - x) / radius, dy = (py - y) / radius, c = std::cos(angle), s = std::sin(angle);
    return outline((c * dx + s * dy) / squeeze, c * dy - s * dx) * radius;
  }
};

Pose random_pose(RandomStream& stream, double side) {
  const double radius = side * stream.uniform(0.25, 0.42), room = side / 2 - radius;
  return {side / 2 + stream.uniform(-room, room), side / 2 + stream.uniform(-room, room), radius, stream.uniform(-0.4, 0.4), stream.uniform(0.85, 1)};
}

}  // namespace

SyntheticShapes::SyntheticShapes(const SyntheticShapesOptions& options) : options_(options) {
  if (options.count < 0 || options.size < 8 || options.size > 4096)
    throw ShapeError(fmt::format("synthetic_shapes: expected count >= 0 and size in 8..4096, got {} and {}", options.count, options.size));
}

const std::vector<std::string>& SyntheticShapes::classes() const {
  static const std::vector<std::string> names = {"circle", "square", "triangle", "hexagon", "star", "ring", "cross", "crescent"};
  return names;
}

std::vector<int64_t> SyntheticShapes::labels() const {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < size(); ++i) all.push_back(i % kClasses);
  return all;
}

ClassificationSample SyntheticShapes::get(int64_t index) const {
  if (index < 0 || index >= size()) throw IndexError(fmt::format("synthetic_shapes: expected an index below {}, got {}", size(), index));
  RandomStream stream(options_.seed, static_cast<uint64_t>(index));
  const int64_t side = options_.size;
  const Pose pose = random_pose(stream, static_cast<double>(side));
  const Rgb paper = random_colour(stream);
  Rgb ink = random_colour(stream);
  while (distance(ink, paper) < 0.7) ink = random_colour(stream);
  const Plane texture = smooth_noise(stream, Size2(side), static_cast<double>(side) / 4, 3);
  const double roughness = stream.uniform(0.02, 0.12), grain = stream.uniform(0.01, 0.06);

  Tensor image = empty({side, side, 3}, DType::u8);
  uint8_t* to = image.mutable_data<uint8_t>();
  for (int64_t y = 0; y < side; ++y)
    for (int64_t x = 0; x < side; ++x) {
      const double inside = coverage(pose.distance(kOutlines[index % kClasses], static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5));
      for (size_t c = 0; c < 3; ++c) {
        const double level = paper[c] + inside * (ink[c] - paper[c]) + roughness * texture(y, x) + stream.normal(0, grain);
        *to++ = static_cast<uint8_t>(std::lround(255 * std::clamp(level, 0.0, 1.0)));
      }
    }
  return {image, label_tensor(index % kClasses)};
}

}  // namespace tapetum::data
