// From bytes to the numbers that networks take: the last steps.
#pragma once
#include "data/transforms/pipeline.h"

namespace tapetum::data {

struct ToTensor {  // u8 [H, W, C] to f32 [C, H, W], 0 to 1; an f32 image stays as it is
  double p = 1;
  static constexpr const char* kName = "ToTensor";
  template <class S, class V> static void fields(S& s, V&& v) { v("p", s.p); }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// (v - mean) / std for each channel, v in 0..1, before or after ToTensor: a u8 image is divided by max_pixel_value and becomes f32 [C, H, W].
// Defaults are ImageNet's.
struct Normalize {
  std::vector<double> mean = {0.485, 0.456, 0.406}, std = {0.229, 0.224, 0.225};
  double max_pixel_value = 255;
  double p = 1;
  static constexpr const char* kName = "Normalize";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("mean", s.mean);
    v("std", s.std);
    v("max_pixel_value", s.max_pixel_value);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
