// A canvas in the pixels of a design, which `scale` multiplies when they are drawn; and the colours that all pictures share.
#pragma once
#include <string_view>

#include "viz/canvas.h"

namespace tapetum::viz {

constexpr Color kPaper = Color::hex(0xffffff), kInk = Color::hex(0x171b24), kMuted = Color::hex(0x717987), kRule = Color::hex(0xe3e6eb);
constexpr Color kRight = Color::hex(0x1f9e84), kWrong = Color::hex(0xe0315f);

class Sheet {
 public:
  Sheet(double width, double height, double scale);
  const Tensor& image() const { return canvas_.image(); }

  struct Text {
    double size = 14;
    Weight weight = Weight::regular;
    Color color = kInk;
    Align align = Align::left;
  };
  // Shortened to `fit`.
  void text(std::string_view s, double x, double baseline, double fit, const Text& style);
  // Turned by a quarter, read from below, on paper. `x` is the middle of the letters' height; the line begins at `y` (left), has its middle
  // there (center), or ends there (right).
  void upright(std::string_view s, double x, double y, double fit, const Text& style);
  void rect(const Rect& r, Color color, double radius = 0) { canvas_.fill_rect(scaled(r), color, radius * scale_); }
  void frame(const Rect& r, double width, Color color, double radius = 0) { canvas_.stroke_rect(scaled(r), width * scale_, color, radius * scale_); }
  void circle(Point center, double radius, Color color) { canvas_.fill_circle(scaled(center), radius * scale_, color); }
  void line(std::vector<Point> points, double width, Color color);
  void picture(const Tensor& image, const Rect& r, Scaling scaling, double radius = 0) { canvas_.draw(image, scaled(r), scaling, radius * scale_); }

  static double width_of(std::string_view s, const Text& style) { return text_width(s, {style.size, style.weight, style.color, style.align}); }

 private:
  Point scaled(Point p) const { return {p.x * scale_, p.y * scale_}; }
  Rect scaled(const Rect& r) const { return {r.x * scale_, r.y * scale_, r.width * scale_, r.height * scale_}; }
  Canvas canvas_;
  double scale_;
};

}  // namespace tapetum::viz
