// Mirrors and quarter turns.
#pragma once
#include "data/transforms/pipeline.h"

namespace tapetum::data {

struct HorizontalFlip {  // left and right change places
  double p = 0.5;
  static constexpr const char* kName = "HorizontalFlip";
  template <class S, class V> static void fields(S& s, V&& v) { v("p", s.p); }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};
using RandomHorizontalFlip = HorizontalFlip;  // torchvision's name

struct VerticalFlip {
  double p = 0.5;
  static constexpr const char* kName = "VerticalFlip";
  template <class S, class V> static void fields(S& s, V&& v) { v("p", s.p); }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};
using RandomVerticalFlip = VerticalFlip;

struct Transpose {  // rows become columns
  double p = 0.5;
  static constexpr const char* kName = "Transpose";
  template <class S, class V> static void fields(S& s, V&& v) { v("p", s.p); }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct RandomRotate90 {  // by 0 to 3 quarter turns against the clock
  double p = 0.5;
  static constexpr const char* kName = "RandomRotate90";
  template <class S, class V> static void fields(S& s, V&& v) { v("p", s.p); }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
