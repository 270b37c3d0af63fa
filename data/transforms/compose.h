// Steps made of others: in a row, one of several, or now and then.
#pragma once
#include "data/transforms/pipeline.h"

namespace tapetum::data {

// All of them in their order. The rules hold within; those of an outer Compose hold too, the stricter one of each.
struct Compose {
  std::vector<Transform> transforms = {};
  double min_visibility = 0, min_area = 0;  // of boxes: see TargetRules
  bool drop_empty_boxes = false, keep_outside_keypoints = false;
  double p = 1;
  static constexpr const char* kName = "Compose";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("transforms", s.transforms);
    v("min_visibility", s.min_visibility);
    v("min_area", s.min_area);
    v("drop_empty_boxes", s.drop_empty_boxes);
    v("keep_outside_keypoints", s.keep_outside_keypoints);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// One of them, chosen with the given weights (none: all alike), and applied with its own probability. Albumentations normalises the children's p
// to weights; here weights are an option of their own.
struct OneOf {
  std::vector<Transform> transforms = {};
  std::vector<double> weights = {};
  double p = 0.5;
  static constexpr const char* kName = "OneOf";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("transforms", s.transforms);
    v("weights", s.weights);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// `n` of them, drawn without replacement, in their order.
struct SomeOf {
  std::vector<Transform> transforms = {};
  int64_t n = 1;
  double p = 1;
  static constexpr const char* kName = "SomeOf";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("transforms", s.transforms);
    v("n", s.n);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// All of them, or none.
struct RandomApply {
  std::vector<Transform> transforms = {};
  double p = 0.5;
  static constexpr const char* kName = "RandomApply";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("transforms", s.transforms);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
