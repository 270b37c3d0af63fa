// A drawing surface over a u8 image [H, W, 3]: antialiased shapes, text and other images, blended by their opacity.
// Units are pixels, x to the right, y down; (0, 0) is the top left corner of the top left pixel, so a pixel's centre is at .5.
// What lies outside is clipped; a coordinate that is NaN draws nothing.
#pragma once
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "viz/color.h"
#include "viz/font.h"

namespace tapetum::viz {

struct Point {
  double x = 0, y = 0;
};

struct Rect {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

enum class Scaling { nearest, bilinear };  // of an enlarged image; one made smaller is averaged over each pixel's area

class Canvas {
 public:
  Canvas(int64_t width, int64_t height, Color background);
  explicit Canvas(const Tensor& image);  // draws into this u8 [H, W, 3] tensor; throws ShapeError, DTypeError

  const Tensor& image() const { return image_; }
  int64_t width() const { return width_; }
  int64_t height() const { return height_; }

  void fill_rect(const Rect& rect, Color color, double radius = 0);
  void fill_circle(Point center, double radius, Color color);
  void stroke_rect(const Rect& rect, double line_width, Color color, double radius = 0);  // the line lies inside the rectangle
  void polyline(const std::vector<Point>& points, double line_width, Color color);        // round ends; a NaN point is a gap
  void line(Point a, Point b, double line_width, Color color) { polyline({a, b}, line_width, color); }
  void text(std::string_view text, double x, double baseline, const TextStyle& style);

  // Draws an image, u8 [H, W, 3], stretched over `rect`, with rounded corners if wanted.
  void draw(const Tensor& image, const Rect& rect, Scaling scaling, double radius = 0);

  void blend(int64_t x, int64_t y, Color color, double coverage = 1);

 private:
  // Blends `color` by coverage(x, y) of the pixels that `rect` touches.
  template <class Coverage> void fill(const Rect& rect, Color color, Coverage&& coverage);

  Tensor image_;
  int64_t width_, height_;
  uint8_t* pixels_;
};

}  // namespace tapetum::viz
