// One channel of numbers on the host: what procedural pictures and augmentation work on.
#pragma once
#include <vector>

#include "core/size2.h"

namespace tapetum::data {

struct Plane {
  explicit Plane(Size2 s, float value = 0) : size(s), values(static_cast<size_t>(s.h * s.w), value) {}
  float& operator()(int64_t y, int64_t x) { return values[static_cast<size_t>(y * size.w + x)]; }
  float operator()(int64_t y, int64_t x) const { return values[static_cast<size_t>(y * size.w + x)]; }
  Size2 size;
  std::vector<float> values;
};

}  // namespace tapetum::data
