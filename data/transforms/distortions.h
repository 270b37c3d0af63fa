// Every pixel displaced by its own amount.
#pragma once
#include "data/pixels/warp.h"
#include "data/transforms/pipeline.h"

namespace tapetum::data {

enum class Noise : int64_t { gaussian, uniform };
const char* name_of(Noise noise);

// Elastic deformation (Simard, Steinkraus and Platt, 2003): noise within -1 and 1, smoothed by a Gaussian of `sigma` pixels, times `alpha`.
// Smoothing takes most of its size: with sigma = 50, alpha = 1 hardly moves anything; 300 and 10 bend by a few pixels.
struct ElasticTransform {
  double alpha = 1, sigma = 50;
  bool same_dxdy = false;  // one displacement for both directions
  Noise noise_distribution = Noise::gaussian;
  Sampling interpolation = Sampling::bilinear;
  Border border_mode = Border::constant;
  Fill fill = {};
  int64_t fill_mask = 0;
  double p = 0.5;
  static constexpr const char* kName = "ElasticTransform";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("alpha", s.alpha);
    v("sigma", s.sigma);
    v("same_dxdy", s.same_dxdy);
    v("noise_distribution", s.noise_distribution);
    v("interpolation", s.interpolation);
    v("border_mode", s.border_mode);
    v("fill", s.fill);
    v("fill_mask", s.fill_mask);
    v("p", s.p);
  }
  void check() const;
  void operator()(ImageSample& sample, RandomStream& stream) const;
};

// A grid of num_steps by num_steps cells, each column and row stretched by a factor of its own; normalized: the picture's edges stay.
struct GridDistortion {
  int64_t num_steps = 5;
  Range distort_limit = {-0.3, 0.3};
  bool normalized = true;
  Sampling interpolation = Sampling::bilinear;
  Border border_mode = Border::constant;
  Fill fill = {};
  int64_t fill_mask = 0;
  double p = 0.5;
  static constexpr const char* kName = "GridDistortion";
  template <class S, class V> static void fields(S& s, V&& v) {
    v("num_steps", s.num_steps);
    v("distort_limit", s.distort_limit);
    v("normalized", s.normalized);
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
