// Other sizes of images. x [N, C, H, W]; the result is channels_last when x is (core/ops/layout.h).
#pragma once
#include "core/size2.h"
#include "core/tensor.h"

namespace tapetum {

// nearest takes the pixel at floor(i H / P), nearest_exact the one whose centre is nearest; area averages, as adaptive_avg_pool2d.
enum class Interpolation : int64_t { nearest, nearest_exact, bilinear, bicubic, area };
const char* name_of(Interpolation mode);

// Two factors, height before width; one number means both.
struct Scale2 {
  double h, w;
  Scale2(double s) : h(s), w(s) {}
  Scale2(double h, double w) : h(h), w(w) {}
  template <class S, class V> static void fields(S& s, V&& v) {
    v("h", s.h);
    v("w", s.w);
  }
};

struct InterpolateOptions {
  Size2 size = 0;           // of the result; or
  Scale2 scale_factor = 0;  // floor(H scale_factor); exactly one of the two
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;  // bilinear, bicubic: the corners' centres fall on each other, else the images' edges do
  bool antialias = false;      // bilinear, bicubic: the filter widens when the image shrinks
  template <class S, class V> static void fields(S& s, V&& v) {
    v("size", s.size);
    v("scale_factor", s.scale_factor);
    v("mode", s.mode);
    v("align_corners", s.align_corners);
    v("antialias", s.antialias);
  }
};

// PyTorch's F.interpolate: bicubic is Keys' kernel with a = -0.75 (-0.5 with antialias, where filters are Pillow's); samples outside
// repeat the border. Throws ShapeError when a size is not positive or options do not go together.
Tensor interpolate(const Tensor& x, const InterpolateOptions& options);

// [N, C r r, H, W] -> [N, C, H r, W r], or without N: channels become r x r blocks of pixels.
Tensor pixel_shuffle(const Tensor& x, int64_t factor);
Tensor pixel_unshuffle(const Tensor& x, int64_t factor);  // its inverse

}  // namespace tapetum
