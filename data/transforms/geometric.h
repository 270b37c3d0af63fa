// Transforms that move pixels: the mask follows with the nearest label, the border is mirrored, so that no new label appears.
#pragma once
#include "core/size2.h"
#include "data/transforms/transform.h"

namespace tapetum::data {

Tensor resize_image(const Tensor& image, Size2 size);    // [C, H, W], bilinear; the filter widens when the image shrinks
Tensor resize_labels(const Tensor& labels, Size2 size);  // i64 [H, W], the label whose centre is nearest

struct Resize {
  Size2 size;
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

// A window at a random place; a picture that is smaller is mirrored beyond its border.
struct RandomCrop {
  Size2 size;
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

struct HorizontalFlip {
  double probability = 0.5;
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

struct VerticalFlip {
  double probability = 0.5;
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

// Turns, scales and shifts about the centre.
struct RandomAffine {
  double probability = 0.5;
  double degrees = 15;                   // to either side
  double smallest = 0.9, largest = 1.1;  // factors, drawn evenly in the logarithm
  double shift = 0.05;                   // part of height and width, to either side
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

// Elastic deformation (Simard, Steinkraus and Platt, 2003): a random displacement of each pixel, uniform in -1..1, smoothed by a Gaussian
// of `sigma` pixels and multiplied by `alpha`.
struct Elastic {
  double probability = 0.5, alpha = 60, sigma = 7;
  void operator()(SegmentationSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
