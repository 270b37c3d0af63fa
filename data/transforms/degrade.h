// What cameras and files do to pictures: blur, noise, compression; targets stay.
#pragma once
#include "data/transforms/pipeline.h"

namespace tapetum::data {

struct GaussianBlur {
  IntRange blur_limit = {0, 0};  // the kernel's size, made odd; 0: as wide as sigma asks
  Range sigma_limit = {0.5, 3};
  double p = 0.5;
  static constexpr const char* kName = "GaussianBlur";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("blur_limit", s.blur_limit);
    v("sigma_limit", s.sigma_limit);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// A straight stroke: its direction in degrees, and whether it lies behind (-1), about (0) or before (1) the pixel.
struct MotionBlur {
  IntRange blur_limit = {3, 7};  // the kernel's size, an odd one
  bool allow_shifted = true;     // the stroke need not pass through the middle
  Range angle_range = {0, 360}, direction_range = {-1, 1};
  double p = 0.5;
  static constexpr const char* kName = "MotionBlur";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("blur_limit", s.blur_limit);
    v("allow_shifted", s.allow_shifted);
    v("angle_range", s.angle_range);
    v("direction_range", s.direction_range);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct MedianBlur {
  IntRange blur_limit = {3, 7};
  double p = 0.5;
  static constexpr const char* kName = "MedianBlur";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("blur_limit", s.blur_limit);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// Mixes the picture, by alpha, with one from which its eight neighbours are taken; its own weight is 8 + lightness there.
struct Sharpen {
  Range alpha = {0.2, 0.5}, lightness = {0.5, 1};
  double p = 0.5;
  static constexpr const char* kName = "Sharpen";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("alpha", s.alpha);
    v("lightness", s.lightness);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct GaussNoise {
  Range std_range = {0.2, 0.44}, mean_range = {0, 0};  // of 255
  bool per_channel = true;                             // else one value for all channels of a pixel
  double p = 0.5;
  static constexpr const char* kName = "GaussNoise";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("std_range", s.std_range);
    v("mean_range", s.mean_range);
    v("per_channel", s.per_channel);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct ImageCompression {  // through a JPEG file in memory; needs a build with image files
  IntRange quality_range = {99, 100};
  double p = 0.5;
  static constexpr const char* kName = "ImageCompression";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("quality_range", s.quality_range);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
