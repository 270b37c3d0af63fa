// Images and masks taken from elsewhere: affine and projective maps, and any displacement, as OpenCV computes them. Places are in pixels with
// the first pixel's centre at (0, 0).
#pragma once
#include <array>
#include <cstdint>

#include "core/size2.h"
#include "data/image.h"
#include "data/pixels/geometry.h"
#include "data/plane.h"

namespace tapetum::data {

enum class Sampling : int64_t { nearest, bilinear };
const char* name_of(Sampling sampling);

// x' = (m0 x + m1 y + m2) / (m6 x + m7 y + m8), y' = (m3 x + m4 y + m5) / (the same).
struct Projection {
  std::array<double, 9> m = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  std::array<double, 2> operator()(double x, double y) const;
  Projection inverse() const;                                             // throws Error for one that cannot be undone
  friend Projection operator*(const Projection& a, const Projection& b);  // first b, then a
};

Projection translation(double x, double y);
Projection scaling(double x, double y);
Projection shearing(double x_by_y, double y_by_x);  // tangents
Projection rotation(double degrees);                // from x to y: with the clock as the picture is seen
Projection between(const std::array<std::array<double, 2>, 4>& from, const std::array<std::array<double, 2>, 4>& to);  // four points

// Where each pixel of the new picture comes from.
struct PixelMap {
  Plane x, y;
  Size2 size() const { return x.size; }
};
PixelMap map_of(const Projection& from_new_to_old, Size2 size);

// Bilinear mixes with what lies beyond the border, as `border` says. A place that is not a number is the fill.
Image remap(const Image& image, const PixelMap& map, Sampling sampling = Sampling::bilinear, Border border = Border::constant, Fill fill = {});
Tensor remap(const Tensor& labels, const PixelMap& map, Border border = Border::constant, int64_t fill = 0);  // integers [H, W], the nearest one

}  // namespace tapetum::data
