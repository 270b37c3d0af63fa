// Other sizes: resized, padded, cropped. Masks take the nearest label.
#pragma once
#include "data/pixels/resize.h"
#include "data/transforms/pipeline.h"

namespace tapetum::data {

struct Resize {
  int64_t height = 0, width = 0;  // needed
  Filter interpolation = Filter::bilinear;
  double p = 1;
  static constexpr const char* kName = "Resize";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("height", s.height);
    v("width", s.width);
    v("interpolation", s.interpolation);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct LongestMaxSize {  // to a longer side of max_size, the sides' ratio kept
  int64_t max_size = 0;
  Filter interpolation = Filter::bilinear;
  double p = 1;
  static constexpr const char* kName = "LongestMaxSize";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("max_size", s.max_size);
    v("interpolation", s.interpolation);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct SmallestMaxSize {  // to a shorter side of max_size
  int64_t max_size = 0;
  Filter interpolation = Filter::bilinear;
  double p = 1;
  static constexpr const char* kName = "SmallestMaxSize";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("max_size", s.max_size);
    v("interpolation", s.interpolation);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// Borders on both sides, the odd pixel below and to the right, until the image is large enough and divisible (0: not asked).
struct PadIfNeeded {
  int64_t min_height = 0, min_width = 0, pad_height_divisor = 0, pad_width_divisor = 0;
  Border border_mode = Border::constant;
  Fill fill = {};
  int64_t fill_mask = 0;
  double p = 1;
  static constexpr const char* kName = "PadIfNeeded";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("min_height", s.min_height);
    v("min_width", s.min_width);
    v("pad_height_divisor", s.pad_height_divisor);
    v("pad_width_divisor", s.pad_width_divisor);
    v("border_mode", s.border_mode);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// The whole picture, its ratio kept, in the middle of height x width: what detectors are fed.
struct LetterBox {
  int64_t height = 0, width = 0;
  bool scale_up = true;  // else a small picture keeps its size
  Filter interpolation = Filter::bilinear;
  Fill fill = 114;
  int64_t fill_mask = 0;
  double p = 1;
  static constexpr const char* kName = "LetterBox";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("height", s.height);
    v("width", s.width);
    v("scale_up", s.scale_up);
    v("interpolation", s.interpolation);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// A window in the middle, or at a random place. An image that is smaller throws ShapeError, unless it is to be padded.
struct CenterCrop {
  int64_t height = 0, width = 0;
  bool pad_if_needed = false;
  Border border_mode = Border::constant;
  Fill fill = {};
  int64_t fill_mask = 0;
  double p = 1;
  static constexpr const char* kName = "CenterCrop";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("height", s.height);
    v("width", s.width);
    v("pad_if_needed", s.pad_if_needed);
    v("border_mode", s.border_mode);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct RandomCrop {
  int64_t height = 0, width = 0;
  bool pad_if_needed = false;
  Border border_mode = Border::constant;
  Fill fill = {};
  int64_t fill_mask = 0;
  double p = 1;
  static constexpr const char* kName = "RandomCrop";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("height", s.height);
    v("width", s.width);
    v("pad_if_needed", s.pad_if_needed);
    v("border_mode", s.border_mode);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// torchvision's: a window with a random part of the area and a random ratio of width to height, resized. After ten failures to fit one:
// the middle, at the nearest ratio that is allowed.
struct RandomResizedCrop {
  int64_t height = 0, width = 0;
  Range scale = {0.08, 1}, ratio = {3. / 4, 4. / 3};
  Filter interpolation = Filter::bilinear;
  double p = 1;
  static constexpr const char* kName = "RandomResizedCrop";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("height", s.height);
    v("width", s.width);
    v("scale", s.scale);
    v("ratio", s.ratio);
    v("interpolation", s.interpolation);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
