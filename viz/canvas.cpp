#include "viz/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace tapetum::viz {
namespace {

// Range of whole pixels that [from, to) touches, within [0, limit); empty for NaN.
struct Range {
  int64_t begin = 0, end = 0;
  Range(double from, double to, int64_t limit) {
    if (!(from < to)) return;
    const double last = static_cast<double>(limit);
    begin = static_cast<int64_t>(std::floor(std::clamp(from, 0.0, last)));
    end = static_cast<int64_t>(std::ceil(std::clamp(to, 0.0, last)));
  }
};

bool is_finite(const Point& p) { return std::isfinite(p.x) && std::isfinite(p.y); }

double overlap(double from, double to, int64_t pixel) {
  const double p = static_cast<double>(pixel);
  return std::max(0.0, std::min(to, p + 1) - std::max(from, p));
}

// Distance from a point to the outline of a rounded rectangle, negative inside (Inigo Quilez, 2D distance functions).
double rounded_distance(const Rect& r, double radius, double x, double y) {
  const double dx = std::abs(x - r.x - r.width / 2) - r.width / 2 + radius;
  const double dy = std::abs(y - r.y - r.height / 2) - r.height / 2 + radius;
  return std::hypot(std::max(dx, 0.0), std::max(dy, 0.0)) + std::min(std::max(dx, dy), 0.0) - radius;
}

double rect_coverage(const Rect& r, double radius, int64_t x, int64_t y) {
  if (radius <= 0) return overlap(r.x, r.right(), x) * overlap(r.y, r.bottom(), y);
  radius = std::min({radius, r.width / 2, r.height / 2});
  return std::clamp(0.5 - rounded_distance(r, radius, static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5), 0.0, 1.0);
}

double segment_distance(Point a, Point b, double x, double y) {
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const double t = length2 > 0 ? std::clamp(((x - a.x) * dx + (y - a.y) * dy) / length2, 0.0, 1.0) : 0;
  return std::hypot(a.x + t * dx - x, a.y + t * dy - y);
}

// The part of segment a-b within `box`; false if there is none (Liang and Barsky). Keeps huge coordinates out of the arithmetic.
bool clip_segment(Point& a, Point& b, const Rect& box) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  double from = 0, to = 1;
  for (const auto& [p, q] : {Point{-dx, a.x - box.x}, Point{dx, box.right() - a.x}, Point{-dy, a.y - box.y}, Point{dy, box.bottom() - a.y}}) {
    if (p == 0) {
      if (q < 0) return false;
    } else {
      (p < 0 ? from : to) = p < 0 ? std::max(from, q / p) : std::min(to, q / p);
    }
  }
  if (from > to) return false;
  const Point start = a;
  a = {start.x + from * dx, start.y + from * dy};
  b = {start.x + to * dx, start.y + to * dy};
  return true;
}

struct Rgb {
  double c[3];
};

// Mean over the source area [x0, x1) x [y0, y1).
Rgb area_mean(const uint8_t* source, int64_t width, int64_t height, double x0, double x1, double y0, double y1) {
  Rgb sum{};
  double weight = 0;
  const Range columns(x0, x1, width), rows(y0, y1, height);
  for (int64_t y = rows.begin; y < rows.end; ++y)
    for (int64_t x = columns.begin; x < columns.end; ++x) {
      const double w = overlap(x0, x1, x) * overlap(y0, y1, y);
      for (int c = 0; c < 3; ++c) sum.c[c] += w * source[(y * width + x) * 3 + c];
      weight += w;
    }
  for (double& c : sum.c) c /= weight > 0 ? weight : 1;
  return sum;
}

// Bilinear value at a place in source pixels, edges repeated.
Rgb bilinear(const uint8_t* source, int64_t width, int64_t height, double x, double y) {
  x = std::clamp(x - 0.5, 0.0, static_cast<double>(width - 1));
  y = std::clamp(y - 0.5, 0.0, static_cast<double>(height - 1));
  const int64_t x0 = static_cast<int64_t>(x), y0 = static_cast<int64_t>(y), x1 = std::min(x0 + 1, width - 1), y1 = std::min(y0 + 1, height - 1);
  const double u = x - static_cast<double>(x0), v = y - static_cast<double>(y0);
  Rgb value;
  for (int c = 0; c < 3; ++c) {
    const auto at = [&](int64_t row, int64_t column) { return static_cast<double>(source[(row * width + column) * 3 + c]); };
    value.c[c] = (at(y0, x0) * (1 - u) + at(y0, x1) * u) * (1 - v) + (at(y1, x0) * (1 - u) + at(y1, x1) * u) * v;
  }
  return value;
}

void check_image(const Tensor& image) {
  if (image.dtype() != DType::u8) throw DTypeError(fmt::format("canvas: image must be u8, got {}", name_of(image.dtype())));
  if (image.dim() != 3 || image.size(2) != 3) throw ShapeError("canvas: image must be [height, width, 3], got " + to_string(image.shape()));
}

}  // namespace

Canvas::Canvas(int64_t width, int64_t height, Color background) : Canvas(empty({height, width, 3}, DType::u8)) {
  for (int64_t i = 0; i < width_ * height_; ++i) {
    pixels_[i * 3] = background.r;
    pixels_[i * 3 + 1] = background.g;
    pixels_[i * 3 + 2] = background.b;
  }
}

Canvas::Canvas(const Tensor& image) : image_(image) {
  check_image(image);
  width_ = image.size(1);
  height_ = image.size(0);
  pixels_ = image_.mutable_data<uint8_t>();
}

void Canvas::blend(int64_t x, int64_t y, Color color, double coverage) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  const double a = coverage * color.alpha;
  if (!(a > 0)) return;
  uint8_t* p = pixels_ + (y * width_ + x) * 3;
  const double rgb[] = {double(color.r), double(color.g), double(color.b)};
  for (int c = 0; c < 3; ++c) p[c] = static_cast<uint8_t>(std::lround(p[c] + (rgb[c] - p[c]) * std::min(a, 1.0)));
}

template <class Coverage> void Canvas::fill(const Rect& rect, Color color, Coverage&& coverage) {
  const Range columns(rect.x, rect.right(), width_), rows(rect.y, rect.bottom(), height_);
  for (int64_t y = rows.begin; y < rows.end; ++y)
    for (int64_t x = columns.begin; x < columns.end; ++x) blend(x, y, color, coverage(x, y));
}

void Canvas::fill_rect(const Rect& rect, Color color, double radius) {
  fill(rect, color, [&](int64_t x, int64_t y) { return rect_coverage(rect, radius, x, y); });
}

void Canvas::fill_circle(Point center, double radius, Color color) {
  fill_rect({center.x - radius, center.y - radius, 2 * radius, 2 * radius}, color, radius);
}

void Canvas::stroke_rect(const Rect& rect, double line_width, Color color, double radius) {
  const Rect inner{rect.x + line_width, rect.y + line_width, rect.width - 2 * line_width, rect.height - 2 * line_width};
  const bool hollow = inner.width > 0 && inner.height > 0;
  const double inner_radius = std::max(0.0, radius - line_width);
  fill(rect, color,
       [&](int64_t x, int64_t y) { return rect_coverage(rect, radius, x, y) - (hollow ? rect_coverage(inner, inner_radius, x, y) : 0); });
}

void Canvas::polyline(const std::vector<Point>& points, double line_width, Color color) {
  const double reach = line_width / 2 + 0.5;
  double left = INFINITY, right = -INFINITY, top = INFINITY, bottom = -INFINITY;
  for (const Point& p : points) {
    if (!is_finite(p)) continue;
    left = std::min(left, p.x - reach), right = std::max(right, p.x + reach);
    top = std::min(top, p.y - reach), bottom = std::max(bottom, p.y + reach);
  }
  const Range columns(left, right, width_), rows(top, bottom, height_);
  const int64_t stride = columns.end - columns.begin;
  if (stride * (rows.end - rows.begin) == 0) return;
  // Coverage of the whole line first, so that joints of a translucent line are not painted twice.
  std::vector<float> mask(static_cast<size_t>(stride * (rows.end - rows.begin)), 0.0f);
  const auto at = [&](int64_t x, int64_t y) -> float& { return mask[static_cast<size_t>((y - rows.begin) * stride + x - columns.begin)]; };
  const Rect box{-reach, -reach, static_cast<double>(width_) + 2 * reach, static_cast<double>(height_) + 2 * reach};
  for (size_t i = 0; i < points.size(); ++i) {
    Point a = points[i], b = i + 1 < points.size() && is_finite(points[i + 1]) ? points[i + 1] : a;
    if (!is_finite(a) || !clip_segment(a, b, box)) continue;
    const Range across(std::min(a.x, b.x) - reach, std::max(a.x, b.x) + reach, width_);
    const Range down(std::min(a.y, b.y) - reach, std::max(a.y, b.y) + reach, height_);
    for (int64_t y = std::max(down.begin, rows.begin); y < std::min(down.end, rows.end); ++y)
      for (int64_t x = std::max(across.begin, columns.begin); x < std::min(across.end, columns.end); ++x) {
        const double d = segment_distance(a, b, static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5);
        at(x, y) = std::max(at(x, y), static_cast<float>(std::clamp(reach - d, 0.0, std::min(1.0, line_width))));
      }
  }
  for (int64_t y = rows.begin; y < rows.end; ++y)
    for (int64_t x = columns.begin; x < columns.end; ++x) blend(x, y, color, at(x, y));
}

void Canvas::text(std::string_view text, double x, double baseline, const TextStyle& style) {
  if (!(std::abs(x) < 1e7 && std::abs(baseline) < 1e7)) return;  // far outside, or NaN
  for (const GlyphBitmap& g : rasterize(text, style, x, baseline))
    for (int64_t row = 0; row < g.height; ++row)
      for (int64_t column = 0; column < g.width; ++column)
        blend(g.x + column, g.y + row, style.color, g.coverage[static_cast<size_t>(row * g.width + column)] / 255.0);
}

void Canvas::draw(const Tensor& image, const Rect& rect, Scaling scaling, double radius) {
  check_image(image);
  const int64_t width = image.size(1), height = image.size(0);
  if (width == 0 || height == 0) return;
  const uint8_t* source = image.data<uint8_t>();
  const double sx = static_cast<double>(width) / rect.width, sy = static_cast<double>(height) / rect.height;
  const Range columns(rect.x, rect.right(), width_), rows(rect.y, rect.bottom(), height_);
  for (int64_t y = rows.begin; y < rows.end; ++y)
    for (int64_t x = columns.begin; x < columns.end; ++x) {
      const double u = (static_cast<double>(x) - rect.x) * sx, v = (static_cast<double>(y) - rect.y) * sy;
      Rgb value;
      if (sx > 1 || sy > 1) {
        value = area_mean(source, width, height, u, u + sx, v, v + sy);
      } else if (scaling == Scaling::bilinear) {
        value = bilinear(source, width, height, u + sx / 2, v + sy / 2);
      } else {
        const int64_t column = std::clamp<int64_t>(static_cast<int64_t>(u + sx / 2), 0, width - 1);
        const int64_t row = std::clamp<int64_t>(static_cast<int64_t>(v + sy / 2), 0, height - 1);
        for (int c = 0; c < 3; ++c) value.c[c] = source[(row * width + column) * 3 + c];
      }
      const auto byte = [&](int c) { return static_cast<uint8_t>(std::lround(value.c[c])); };
      blend(x, y, {byte(0), byte(1), byte(2)}, rect_coverage(rect, radius, x, y));
    }
}

}  // namespace tapetum::viz
