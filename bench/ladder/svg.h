// A drawing of rectangles and words as SVG, on white: it grows downwards as one draws.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>

#include "viz/color.h"

namespace tapetum::bench {

class Svg {
 public:
  explicit Svg(int width) : width_(width) {}

  void rect(double x, double y, double width, double height, viz::Color fill);
  void frame(double x, double y, double width, double height, viz::Color line);
  enum class Align { begin, middle };
  // `size` in pixels; y is the baseline.
  void words(double x, double y, double size, std::string_view text, viz::Color color, Align align = Align::begin);
  void source(double x, double y, double size, std::string_view text, viz::Color color);  // monospace, spaces kept

  std::string text() const;

 private:
  void reaches(double y) { height_ = std::max(height_, y); }

  int width_;
  double height_ = 0;
  std::string body_;
};

}  // namespace tapetum::bench
