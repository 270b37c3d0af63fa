// Smooth random fields: the irregularity of light, texture and shape in procedural pictures.
#pragma once
#include <vector>

#include "core/random.h"
#include "core/size2.h"

namespace tapetum::data {

struct Plane {
  explicit Plane(Size2 s, float value = 0) : size(s), values(static_cast<size_t>(s.h * s.w), value) {}
  float& operator()(int64_t y, int64_t x) { return values[static_cast<size_t>(y * size.w + x)]; }
  float operator()(int64_t y, int64_t x) const { return values[static_cast<size_t>(y * size.w + x)]; }
  Size2 size;
  std::vector<float> values;
};

// Normal values on a lattice of `spacing` pixels, smoothly interpolated; `octaves` add halves of spacing and amplitude.
// Mean 0; the deviation is about 0.6 with one octave.
Plane smooth_noise(RandomStream& stream, Size2 size, double spacing, int octaves = 1);

}  // namespace tapetum::data
