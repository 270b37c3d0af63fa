#include <algorithm>
#include <cmath>

#include "ladders/ladder.h"

namespace tapetum::ladders {
namespace {

// In whole pixels, so that areas are exact and no step decides by rounding.
void make_boxes(Inputs& x) {
  constexpr float kImage = 256, kLeast = 24, kMore = 24;
  for (size_t i = 0; i < x[0].size(); i += 4) {
    float* box = &x[0][i];
    for (int axis = 0; axis < 2; ++axis) {
      box[axis] = std::floor(kImage * box[axis]);
      box[axis + 2] = box[axis] + kLeast + std::floor(kMore * box[axis + 2]);
    }
  }
}

double length(double low, double high) { return std::max(high - low, 0.0); }
bool overlap(const float* a, const float* b) {
  const double width = length(std::max(a[0], b[0]), std::min(a[2], b[2])), height = length(std::max(a[1], b[1]), std::min(a[3], b[3]));
  const double shared = width * height, both = length(a[0], a[2]) * length(a[1], a[3]) + length(b[0], b[2]) * length(b[1], b[3]) - shared;
  return shared / both > 0.5;
}

std::vector<double> reference(const Sizes& s, const Inputs& x) {
  const size_t n = static_cast<size_t>(s[0]);
  std::vector<double> kept(n, 1);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = i + 1; j < n && kept[i] != 0; ++j)
      if (overlap(&x[0][4 * i], &x[0][4 * j])) kept[j] = 0;
  return kept;
}

}  // namespace

extern const Ladder nms;
const Ladder nms{
    .name = "nms",
    .task = "which boxes stay when each, from the best on, strikes the later ones that it overlaps by more than half",
    .counted = {2048},
    .timed = {16384},
    .tested = {{1}, {2}, {63}, {64}, {65}, {300}, {2100}},
    .low = 0,
    .high = 1,
    .tolerance = 0,
    .inputs = [](const Sizes& s) { return std::vector{4 * int64_t{s[0]}}; },
    .outputs = [](const Sizes& s) { return int64_t{s[0]}; },
    .columns =
        [](const Sizes&) {
          return std::vector<int64_t>{64, 32};
        },
    .scratch = [](const Sizes& s) { return 2 * (int64_t{s[0]} + 1) * (cover(s[0], 64) + 1); },
    .reference = reference,
    .prepare = make_boxes,
};

}  // namespace tapetum::ladders
