// Rectangles that are wiped out. Boxes and keypoints stay.
#pragma once
#include "data/pixels/geometry.h"
#include "data/transforms/pipeline.h"

namespace tapetum::data {

// Holes of random number, size and place. Sizes up to 1 are parts of the picture's sides, else pixels.
struct CoarseDropout {
  IntRange num_holes_range = {1, 2};
  Range hole_height_range = {0.1, 0.2}, hole_width_range = {0.1, 0.2};
  Fill fill = {};
  int64_t fill_mask = -1;  // -1: the mask stays
  double p = 0.5;
  static constexpr const char* kName = "CoarseDropout";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("num_holes_range", s.num_holes_range);
    v("hole_height_range", s.hole_height_range);
    v("hole_width_range", s.hole_width_range);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// torchvision's (Zhong et al., 2017): one rectangle of a random part of the area and ratio of height to width, of an image or, after
// ToTensor, of an f32 one, filled with a value (for f32 in 0..1) or with noise: uniform in u8, normal in f32. The mask stays.
struct RandomErasing {
  Range scale = {0.02, 0.33}, ratio = {0.3, 3.3};
  double value = 0;
  bool random = false;
  double p = 0.5;
  static constexpr const char* kName = "RandomErasing";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("scale", s.scale);
    v("ratio", s.ratio);
    v("value", s.value);
    v("random", s.random);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
