// Learned and random policies over a fixed set of operations, as torchvision has them. Operations that move pixels move the targets too.
#pragma once
#include "data/pixels/warp.h"
#include "data/transforms/pipeline.h"

namespace tapetum::data {

enum class Policy : int64_t { imagenet, cifar10, svhn };
const char* name_of(Policy policy);

// The operations and their strengths: what each policy draws from. A strength of a factor is added to 1; Posterize's are bits.
enum class Operation : int64_t {
  Identity,
  ShearX,
  ShearY,
  TranslateX,
  TranslateY,
  Rotate,
  Brightness,
  Color,
  Contrast,
  Sharpness,
  Posterize,
  Solarize,
  AutoContrast,
  Equalize,
  Invert
};
const char* name_of(Operation operation);
struct OperationOptions {
  Sampling interpolation = Sampling::nearest;
  Fill fill = {};
};
void apply_operation(ImageSample& sample, Operation operation, double strength, const OperationOptions& options = {});

struct AutoAugment {  // Cubuk et al., 2019: one of 25 pairs of operations
  Policy policy = Policy::imagenet;
  Sampling interpolation = Sampling::nearest;
  Fill fill = {};
  double p = 1;
  static constexpr const char* kName = "AutoAugment";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("policy", s.policy);
    v("interpolation", s.interpolation);
    v("fill", s.fill);
    v("p", s.p);
  }
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct RandAugment {  // Cubuk et al., 2020: num_ops operations of one strength
  int64_t num_ops = 2, magnitude = 9, num_magnitude_bins = 31;
  Sampling interpolation = Sampling::nearest;
  Fill fill = {};
  double p = 1;
  static constexpr const char* kName = "RandAugment";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("num_ops", s.num_ops);
    v("magnitude", s.magnitude);
    v("num_magnitude_bins", s.num_magnitude_bins);
    v("interpolation", s.interpolation);
    v("fill", s.fill);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

struct TrivialAugment {  // Mueller and Hutter, 2021: one operation of any strength, in wider ranges
  int64_t num_magnitude_bins = 31;
  Sampling interpolation = Sampling::nearest;
  Fill fill = {};
  double p = 1;
  static constexpr const char* kName = "TrivialAugment";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("num_magnitude_bins", s.num_magnitude_bins);
    v("interpolation", s.interpolation);
    v("fill", s.fill);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// Hendrycks et al., 2020: a mixture of the picture and of mixture_width chains of operations over it. For classification: a sample with
// a mask, boxes or keypoints throws ShapeError, since no target fits all parts of the mixture.
struct AugMix {
  int64_t severity = 3, mixture_width = 3, chain_depth = -1;  // below 1: 1 to 3, drawn for each chain
  double alpha = 1;
  bool all_ops = true;  // brightness, colour, contrast and sharpness too
  Sampling interpolation = Sampling::bilinear;
  Fill fill = {};
  double p = 1;
  static constexpr const char* kName = "AugMix";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("severity", s.severity);
    v("mixture_width", s.mixture_width);
    v("chain_depth", s.chain_depth);
    v("alpha", s.alpha);
    v("all_ops", s.all_ops);
    v("interpolation", s.interpolation);
    v("fill", s.fill);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

}  // namespace tapetum::data
