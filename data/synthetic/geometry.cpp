#include "data/synthetic/geometry.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace tapetum::data {
namespace {

constexpr double kTau = 2 * std::numbers::pi;

// Cells may overlap by so much of the sum of their radii; the contact line then flattens both.
constexpr double kClosest = 0.74, kFarthestNeighbour = 0.98;

bool has_room(const std::vector<Outline>& cells, double y, double x, double radius) {
  return std::all_of(cells.begin(), cells.end(), [&](const Outline& c) { return std::hypot(c.y - y, c.x - x) > kClosest * (c.radius + radius); });
}

void place_cell(RandomStream& stream, std::vector<Outline>& cells, Size2 size, double radius) {
  for (int attempt = 0; attempt < 24; ++attempt) {
    double y = stream.uniform(-0.6 * radius, static_cast<double>(size.h) + 0.6 * radius);
    double x = stream.uniform(-0.6 * radius, static_cast<double>(size.w) + 0.6 * radius);
    if (!cells.empty() && stream.chance(0.65)) {
      const Outline& mate = cells[static_cast<size_t>(stream.integer(static_cast<int64_t>(cells.size())))];
      const double angle = stream.uniform(0, kTau), distance = stream.uniform(kClosest, kFarthestNeighbour) * (mate.radius + radius);
      y = mate.y + distance * std::sin(angle);
      x = mate.x + distance * std::cos(angle);
    }
    if (!has_room(cells, y, x, radius)) continue;
    cells.emplace_back(stream, y, x, radius, 0.09);
    return;
  }
}

void claim_pixels(Tissue& tissue, int index) {
  const Outline& cell = tissue.cells[static_cast<size_t>(index)];
  const Size2 size = tissue.nearest.size;
  const double reach = 1.5 * cell.reach;  // beyond the outline: halos and contacts need the distance there too
  const auto top = std::max<int64_t>(0, std::lround(cell.y - reach)), bottom = std::min<int64_t>(size.h - 1, std::lround(cell.y + reach));
  const auto left = std::max<int64_t>(0, std::lround(cell.x - reach)), right = std::min<int64_t>(size.w - 1, std::lround(cell.x + reach));
  for (int64_t y = top; y <= bottom; ++y)
    for (int64_t x = left; x <= right; ++x) {
      const auto d = static_cast<float>(cell.distance(static_cast<double>(y), static_cast<double>(x)));
      float &nearest = tissue.nearest(y, x), &second = tissue.second(y, x);
      if (d >= nearest) {
        second = std::min(second, d);
        continue;
      }
      second = std::exchange(nearest, d);
      if (d < 1) tissue.owner[static_cast<size_t>(y * size.w + x)] = index;
    }
}

}  // namespace

Outline::Outline(RandomStream& stream, double y, double x, double radius, double roughness) : y(y), x(x), radius(radius), reach(0) {
  const double stretch = stream.uniform(1, 1.35), tilt = stream.uniform(0, kTau);
  double amplitude[6], phase[6];
  for (int k = 2; k < 6; ++k) {
    amplitude[k] = roughness * stream.normal() * 2 / k;
    phase[k] = stream.uniform(0, kTau);
  }
  for (int i = 0; i <= kAngles; ++i) {
    const double angle = kTau * (i % kAngles) / kAngles, along = std::cos(angle - tilt), across = std::sin(angle - tilt);
    double r = radius / std::hypot(along / std::sqrt(stretch), across * std::sqrt(stretch)), wave = 1;
    for (int k = 2; k < 6; ++k) wave += amplitude[k] * std::cos(k * angle + phase[k]);
    r *= std::max(0.5, wave);
    radius_at_[i] = static_cast<float>(r);
    reach = std::max(reach, r);
  }
}

double Outline::distance(double py, double px) const {
  const double dy = py - y, dx = px - x;
  const double turn = std::atan2(dy, dx) / kTau, at = (turn < 0 ? turn + 1 : turn) * kAngles;
  const int i = std::min(static_cast<int>(at), kAngles - 1);
  return std::hypot(dy, dx) / std::lerp(radius_at_[i], radius_at_[i + 1], at - i);
}

double Tissue::depth(int64_t y, int64_t x) const {
  const Outline& cell = cells[static_cast<size_t>(owner[static_cast<size_t>(y * nearest.size.w + x)])];
  const float d = nearest(y, x);
  return cell.radius * std::min(1 - d, (second(y, x) - d) / 2);
}

Tissue grow_tissue(RandomStream& stream, Size2 size, double radius, double cover) {
  Tissue tissue(size);
  const double wanted = cover * static_cast<double>(size.h * size.w);
  for (double covered = 0; covered < wanted;) {
    const double r = radius * std::clamp(std::exp(0.25 * stream.normal()), 0.6, 1.6);
    place_cell(stream, tissue.cells, size, r);
    covered += std::numbers::pi * r * r;  // counted where there was no room either: dense pictures come to an end
  }
  for (int i = 0; i < static_cast<int>(tissue.cells.size()); ++i) claim_pixels(tissue, i);
  return tissue;
}

}  // namespace tapetum::data
