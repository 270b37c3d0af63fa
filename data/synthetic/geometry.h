// Shapes of procedural cells: irregular outlines, tissue in which neighbours press against each other.
#pragma once
#include "data/synthetic/noise.h"

namespace tapetum::data {

// A star-shaped outline: an ellipse whose radius varies with the angle by a few low harmonics.
class Outline {
 public:
  Outline(RandomStream& stream, double y, double x, double radius, double roughness);
  double distance(double py, double px) const;  // 0 at the centre, 1 on the outline
  double y, x;                                  // pixels; pixel centres are whole numbers
  double radius;                                // mean
  double reach;                                 // greatest

 private:
  static constexpr int kAngles = 128;
  float radius_at_[kAngles + 1];
};

// Which cell owns a pixel, and where inside it the pixel lies.
struct Tissue {
  explicit Tissue(Size2 size) : owner(static_cast<size_t>(size.h * size.w), -1), nearest(size, 9), second(size, 9) {}
  std::vector<Outline> cells;
  std::vector<int> owner;                    // index of the cell; -1 outside
  Plane nearest, second;                     // outline distances to the nearest and the next cell: the contact of two cells is where they are equal
  double depth(int64_t y, int64_t x) const;  // pixels from the border or contact, inside a cell
};

// Cells of some `radius` on about `cover` of the area, in clusters; borders of the picture cut them.
Tissue grow_tissue(RandomStream& stream, Size2 size, double radius, double cover);

}  // namespace tapetum::data
