// Turned, sheared, shifted, seen at an angle: projections of the plane. Boxes become the upright ones around their turned corners; pictures
// that a reflecting border repeats bring no boxes of their own.
#pragma once
#include "data/pixels/warp.h"
#include "data/transforms/pipeline.h"

namespace tapetum::data {

// Albumentations': shifts are parts of width and height, scales are added to 1, angles are degrees against the clock.
struct ShiftScaleRotate {
  Range shift_limit = {-0.0625, 0.0625}, scale_limit = {-0.1, 0.1}, rotate_limit = {-45, 45};
  Sampling interpolation = Sampling::bilinear;
  Border border_mode = Border::constant;
  Fill fill = {};
  int64_t fill_mask = 0;
  double p = 0.5;
  static constexpr const char* kName = "ShiftScaleRotate";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("shift_limit", s.shift_limit);
    v("scale_limit", s.scale_limit);
    v("rotate_limit", s.rotate_limit);
    v("interpolation", s.interpolation);
    v("border_mode", s.border_mode);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// About the centre: scaled (each side by its own factor unless keep_ratio), turned, sheared by angles, shifted by parts of the sides.
// fit_output: the new picture is as large as what it shows.
struct Affine {
  Range scale = {1, 1}, translate_percent = {0, 0}, rotate = {0, 0}, shear = {0, 0};
  bool keep_ratio = false, fit_output = false;
  Sampling interpolation = Sampling::bilinear;
  Border border_mode = Border::constant;
  Fill fill = {};
  int64_t fill_mask = 0;
  double p = 0.5;
  static constexpr const char* kName = "Affine";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("scale", s.scale);
    v("translate_percent", s.translate_percent);
    v("rotate", s.rotate);
    v("shear", s.shear);
    v("keep_ratio", s.keep_ratio);
    v("fit_output", s.fit_output);
    v("interpolation", s.interpolation);
    v("border_mode", s.border_mode);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// torchvision's: about the centre, against the clock; `expand` makes the picture large enough to show all of it.
struct RandomRotation {
  Range degrees = {-15, 15};
  Sampling interpolation = Sampling::nearest;
  bool expand = false;
  Fill fill = {};
  int64_t fill_mask = 0;
  double p = 1;
  static constexpr const char* kName = "RandomRotation";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("degrees", s.degrees);
    v("interpolation", s.interpolation);
    v("expand", s.expand);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// Four points near the corners are drawn to the corners. How far inside they lie is normal, with a deviation of `scale` sides, at most 0.32.
struct Perspective {
  Range scale = {0.05, 0.1};
  bool keep_size = true;  // else the new picture has the size that the four points span
  Sampling interpolation = Sampling::bilinear;
  Border border_mode = Border::constant;
  Fill fill = {};
  int64_t fill_mask = 0;
  double p = 0.5;
  static constexpr const char* kName = "Perspective";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("scale", s.scale);
    v("keep_size", s.keep_size);
    v("interpolation", s.interpolation);
    v("border_mode", s.border_mode);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
