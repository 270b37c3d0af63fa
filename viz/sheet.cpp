#include "viz/sheet.h"

#include <algorithm>
#include <cmath>

#include "core/ops/view.h"

namespace tapetum::viz {

Sheet::Sheet(double width, double height, double scale)
    : canvas_(std::max<int64_t>(1, std::lround(width * scale)), std::max<int64_t>(1, std::lround(height * scale)), kPaper), scale_(scale) {}

void Sheet::text(std::string_view s, double x, double baseline, double fit, const Text& t) {
  const TextStyle style{t.size * scale_, t.weight, t.color, t.align};
  canvas_.text(fit_text(s, style, fit * scale_), x * scale_, baseline * scale_, style);
}

void Sheet::upright(std::string_view s, double x, double y, double fit, const Text& t) {
  const TextStyle style{t.size * scale_, t.weight, t.color, Align::left};
  const std::string shown = fit_text(s, style, fit * scale_);
  const double length = text_width(shown, style);
  if (!(length > 0)) return;
  // Written flat on a piece of paper, which is then turned by a quarter.
  Canvas flat(std::lround(length) + 4, std::lround(1.5 * style.size) + 2, kPaper);
  flat.text(shown, 2, 1.05 * style.size, style);
  const Tensor turned = contiguous(rot90(flat.image(), 1));
  const double width = static_cast<double>(turned.size(1)), height = static_cast<double>(turned.size(0));
  const double up = t.align == Align::left ? height : t.align == Align::center ? height / 2 : 0;
  canvas_.draw(turned, {std::round(x * scale_ - 0.72 * style.size), std::round(y * scale_ - up), width, height}, Scaling::nearest);
}

void Sheet::line(std::vector<Point> points, double width, Color color) {
  for (Point& p : points) p = scaled(p);
  canvas_.polyline(points, width * scale_, color);
}

}  // namespace tapetum::viz
