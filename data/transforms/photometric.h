// Light and colour; targets stay. Alpha stays too.
#pragma once
#include "data/transforms/pipeline.h"

namespace tapetum::data {

// (1 + contrast) v + brightness, the latter in parts of 255, or of the mean value.
struct RandomBrightnessContrast {
  Range brightness_limit = {-0.2, 0.2}, contrast_limit = {-0.2, 0.2};
  bool brightness_by_max = true;
  double p = 0.5;
  static constexpr const char* kName = "RandomBrightnessContrast";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("brightness_limit", s.brightness_limit);
    v("contrast_limit", s.contrast_limit);
    v("brightness_by_max", s.brightness_by_max);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct RandomGamma {
  Range gamma_limit = {80, 120};  // percent
  double p = 0.5;
  static constexpr const char* kName = "RandomGamma";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("gamma_limit", s.gamma_limit);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct CLAHE {  // data/pixels/clahe.h
  Range clip_limit = {1, 4};
  Size2 tile_grid_size = 8;
  double p = 0.5;
  static constexpr const char* kName = "CLAHE";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("clip_limit", s.clip_limit);
    v("tile_grid_size", s.tile_grid_size);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct HueSaturationValue {  // hue of 180, the others of 255
  Range hue_shift_limit = {-20, 20}, sat_shift_limit = {-30, 30}, val_shift_limit = {-20, 20};
  double p = 0.5;
  static constexpr const char* kName = "HueSaturationValue";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("hue_shift_limit", s.hue_shift_limit);
    v("sat_shift_limit", s.sat_shift_limit);
    v("val_shift_limit", s.val_shift_limit);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// torchvision's: factors from 1 - v (at least 0) to 1 + v, the hue turned by -v to v (at most 0.5), in a random order.
struct ColorJitter {
  double brightness = 0, contrast = 0, saturation = 0, hue = 0;
  double p = 1;
  static constexpr const char* kName = "ColorJitter";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("brightness", s.brightness);
    v("contrast", s.contrast);
    v("saturation", s.saturation);
    v("hue", s.hue);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct ToGray {  // luma in every channel
  double p = 0.5;
  static constexpr const char* kName = "ToGray";
  template <class S, class V> static void fields(S& s, V&& v) { v("p", s.p); }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct RandomGrayscale {  // torchvision's name and probability
  double p = 0.1;
  static constexpr const char* kName = "RandomGrayscale";
  template <class S, class V> static void fields(S& s, V&& v) { v("p", s.p); }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct Posterize {
  IntRange num_bits = {4, 4};
  double p = 0.5;
  static constexpr const char* kName = "Posterize";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("num_bits", s.num_bits);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct Solarize {
  Range threshold_range = {0.5, 0.5};  // of 255
  double p = 0.5;
  static constexpr const char* kName = "Solarize";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("threshold_range", s.threshold_range);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct Equalize {  // each channel by Pillow's rule
  double p = 0.5;
  static constexpr const char* kName = "Equalize";
  template <class S, class V> static void fields(S& s, V&& v) { v("p", s.p); }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct AutoContrast {  // each channel by Pillow's rule
  double cutoff = 0;   // percent at either end
  double p = 0.5;
  static constexpr const char* kName = "AutoContrast";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("cutoff", s.cutoff);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct InvertImg {
  double p = 0.5;
  static constexpr const char* kName = "InvertImg";
  template <class S, class V> static void fields(S& s, V&& v) { v("p", s.p); }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
