// From a scene to a micrograph: uneven illumination, the lens, the sensor.
#pragma once
#include <array>

#include "data/synthetic/noise.h"

namespace tapetum::data {

using Colour = std::array<float, 3>;
using Planes = std::array<Plane, 3>;  // red, green, blue

// Light over the field, around 1: a slope, a vignette and a slow drift.
Plane draw_illumination(RandomStream& stream, Size2 size);

struct Camera {
  double blur;        // deviation of the lens's spread, pixels
  double photons;     // at full white: shot noise is the square root of the count
  double read_noise;  // deviation, as a part of full white
};
void expose(RandomStream& stream, Planes& scene, const Camera& camera);  // in place; clamps to 0..1

}  // namespace tapetum::data
