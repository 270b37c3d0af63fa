// Smooth random fields: the irregularity of light, texture and shape in procedural pictures.
#pragma once
#include "core/random.h"
#include "data/plane.h"

namespace tapetum::data {

// Normal values on a lattice of `spacing` pixels, smoothly interpolated; `octaves` add halves of spacing and amplitude.
// Mean 0; the deviation is about 0.6 with one octave.
Plane smooth_noise(RandomStream& stream, Size2 size, double spacing, int octaves = 1);

}  // namespace tapetum::data
