// Transforms of pixel values; the mask stays as it is.
#pragma once
#include <array>

#include "data/transforms/transform.h"

namespace tapetum::data {

// Brightness multiplies, contrast stretches about the mean, gamma is an exponent; each factor is drawn evenly in the logarithm from
// 1 / (1 + v) to 1 + v. The result is kept within 0..1.
struct ColourJitter {
  double probability = 0.8, brightness = 0.2, contrast = 0.2, gamma = 0.2;
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

struct GaussianBlur {
  double probability = 0.3, smallest = 0.3, largest = 1.2;  // deviation, pixels
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

struct GaussianNoise {
  double probability = 0.3, largest = 0.04;  // deviation, in a range of 0..1; the result is kept within it
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

// (x - mean) / deviation, for each of three channels.
struct Normalize {
  std::array<float, 3> mean, deviation;
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
