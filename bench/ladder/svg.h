// A drawing of rectangles and words as SVG, on white: it grows downwards as one draws.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "viz/color.h"

namespace tapetum::bench {

class Svg {
 public:
  Svg(int width, std::vector<viz::Color> scale) : width_(width), scale_(std::move(scale)) {}

  void rect(double x, double y, double width, double height, viz::Color fill);
  void scale(double x, double y, double width, double height);  // from the first colour of the scale to its last
  void frame(double x, double y, double width, double height, viz::Color line);
  enum class Align { begin, middle };
  // `size` in pixels; y is the baseline.
  void words(double x, double y, double size, std::string_view text, viz::Color color, Align align = Align::begin);
  void source(double x, double y, double size, std::string_view text, viz::Color color);  // monospace, spaces kept

  std::string text() const;

 private:
  void reaches(double y) { height_ = std::max(height_, y); }

  int width_;
  std::vector<viz::Color> scale_;
  double height_ = 0;
  std::string body_;
};

}  // namespace tapetum::bench
