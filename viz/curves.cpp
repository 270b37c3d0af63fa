#include "viz/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/axis.h"
#include "viz/sheet.h"

namespace tapetum::viz {
namespace {

constexpr Color kGrid = Color::hex(0xe9ecf0), kBase = Color::hex(0xb9c0ca), kMark = Color::hex(0xa3abb8);
constexpr double kMargin = 40, kLeft = 52, kRight = 84, kTop = 62, kBottom = 52, kLabelHeight = 18;

// One chart within `frame`; all lengths are multiplied by `scale` when they are drawn.
class ChartPainter {
 public:
  ChartPainter(Canvas& canvas, const Chart& chart, const Rect& frame, double scale)
      : canvas_(canvas),
        chart_(chart),
        frame_(frame),
        scale_(scale),
        plot_{frame.x + kLeft, frame.y + kTop, frame.width - kLeft - kRight, frame.height - kTop - kBottom} {
    double low = INFINITY, high = -INFINITY;
    int64_t epochs = 0;
    for (const Series& s : chart.series) {
      epochs = std::max(epochs, static_cast<int64_t>(s.values.size()));
      for (double v : s.values)
        if (visible(v)) low = std::min(low, v), high = std::max(high, v);
    }
    x_ = x_axis(epochs);
    const bool empty = low > high;
    y_ = value_axis(empty ? (chart.log_scale ? 0.1 : 0) : low, empty ? 1 : high, 5, chart.log_scale);
  }

  void paint() {
    text(chart_.title, frame_.x, frame_.y + 22, 21, Weight::bold, kInk, Align::left, frame_.width);
    axes();
    marks();
    for (const Series& s : chart_.series) curve(s);
    if (chart_.mark_highest && !chart_.series.empty()) mark_highest(chart_.series.back());
    labels();
  }

 private:
  bool visible(double v) const { return std::isfinite(v) && (!chart_.log_scale || v > 0); }

  Axis x_axis(int64_t epochs) const {
    if (chart_.x.empty()) return count_axis(epochs, 8);
    double low = INFINITY, high = -INFINITY;
    for (double v : chart_.x)
      if (std::isfinite(v) && (!chart_.log_x || v > 0)) low = std::min(low, v), high = std::max(high, v);
    return low > high ? value_axis(0.1, 1, 8, chart_.log_x) : value_axis(low, high, 8, chart_.log_x);
  }
  double x_of(size_t i) const { return chart_.x.empty() ? static_cast<double>(i + 1) : i < chart_.x.size() ? chart_.x[i] : NAN; }
  Point at(size_t i, double value) const {  // NaN for a gap
    return {plot_.x + x_.place(x_of(i)) * plot_.width, plot_.bottom() - y_.place(value) * plot_.height};
  }
  Point scaled(Point p) const { return {p.x * scale_, p.y * scale_}; }

  void text(std::string_view s, double x, double baseline, double size, Weight weight, Color color, Align align, double fit) {
    const TextStyle style{size * scale_, weight, color, align};
    canvas_.text(fit_text(s, style, fit * scale_), x * scale_, baseline * scale_, style);
  }
  void rule(double x, double y, double width, double height, Color color) {
    canvas_.fill_rect({std::round(x * scale_), std::round(y * scale_), width * scale_, height * scale_}, color);
  }

  void axes() {
    for (double tick : y_.ticks) {
      const double y = plot_.bottom() - y_.place(tick) * plot_.height;
      rule(plot_.x, y, plot_.width, 1, kGrid);
      text(y_.label(tick), plot_.x - 10, y + 4.5, 13, Weight::regular, kMuted, Align::right, kLeft);
    }
    rule(plot_.x, plot_.bottom(), plot_.width, 1, kBase);
    for (double tick : x_.ticks) {
      const double x = plot_.x + x_.place(tick) * plot_.width;
      rule(x, plot_.bottom(), 1, 5, kBase);
      text(x_.label(tick), x, plot_.bottom() + 22, 13, Weight::regular, kMuted, Align::center, 60);
    }
    text(chart_.x_label, plot_.right() + 20, plot_.bottom() + 22, 13, Weight::regular, kMuted, Align::left, kRight - 20);
  }

  void curve(const Series& s) {
    std::vector<Point> points;
    for (size_t i = 0; i < s.values.size(); ++i) points.push_back(scaled(at(i, s.values[i])));
    canvas_.polyline(points, 2.4 * scale_, s.color);
    const auto gap = [&](size_t i) { return i >= s.values.size() || !visible(s.values[i]); };
    for (size_t i = 0; i < s.values.size(); ++i)  // a point between gaps has no line to be seen by
      if (!gap(i) && gap(i + 1) && (i == 0 || gap(i - 1))) canvas_.fill_circle(points[i], 3.4 * scale_, s.color);
  }

  // Their names one below the other, on the side away from the next mark.
  void marks() {
    for (const Mark& m : chart_.marks) {
      const double place = x_.place(m.x), x = plot_.x + place * plot_.width;
      if (place >= 0 && place <= 1) canvas_.line(scaled({x, plot_.y - 8}), scaled({x, plot_.bottom()}), 1.5 * scale_, kMark);
    }
    double y = plot_.y + 4;
    for (const Mark& m : chart_.marks) {
      const double place = x_.place(m.x), x = plot_.x + place * plot_.width;
      if (!(place >= 0 && place <= 1)) continue;
      const auto further = [&](const Mark& other) { return other.x > m.x; };
      const bool left = place > 0.7 || (place > 0.3 && std::any_of(chart_.marks.begin(), chart_.marks.end(), further));
      const double room = (left ? place : 1 - place) * plot_.width - 8;
      const double width = std::min(room, text_width(m.name, {13.5 * scale_, Weight::bold}) / scale_);
      canvas_.fill_rect({(left ? x - 11 - width : x + 5) * scale_, (y - 12) * scale_, (width + 6) * scale_, 16 * scale_}, kPaper);
      text(m.name, left ? x - 8 : x + 8, y, 13.5, Weight::bold, kInk, left ? Align::right : Align::left, room);
      y += kLabelHeight;
    }
  }

  void mark_highest(const Series& s) {
    size_t best = s.values.size();
    for (size_t i = 0; i < s.values.size(); ++i)
      if (visible(s.values[i]) && (best == s.values.size() || s.values[i] > s.values[best])) best = i;
    if (best == s.values.size()) return;
    const Point p = at(best, s.values[best]);
    canvas_.fill_circle(scaled(p), 6.5 * scale_, kPaper);
    canvas_.fill_circle(scaled(p), 4.5 * scale_, s.color);
    const Align align = p.x > plot_.right() - 40 ? Align::right : p.x < plot_.x + 40 ? Align::left : Align::center;
    text(fmt::format("{:.3f} at {} {:g}", s.values[best], chart_.x_label, x_of(best)), p.x, p.y - 14, 13.5, Weight::bold, kInk, align, plot_.width);
  }

  // Names at the lines' ends, moved apart where they would touch.
  void labels() {
    struct Label {
      double y;
      const Series* series;
    };
    std::vector<Label> list;
    for (const Series& s : chart_.series)
      for (size_t i = s.values.size(); i-- > 0;)
        if (visible(s.values[i])) {
          list.push_back({at(i, s.values[i]).y, &s});
          break;
        }
    std::stable_sort(list.begin(), list.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
    for (size_t i = 1; i < list.size(); ++i) list[i].y = std::max(list[i].y, list[i - 1].y + kLabelHeight);
    const double overhang = list.empty() ? 0 : std::max(0.0, list.back().y - plot_.bottom());
    for (size_t i = list.size(); i-- > 0;)
      list[i].y = i + 1 == list.size() ? list[i].y - overhang : std::min(list[i].y, list[i + 1].y - kLabelHeight);
    for (const Label& l : list)
      text(l.series->name, plot_.right() + 14, l.y + 5, 14, Weight::bold, mix(l.series->color, kInk, 0.25), Align::left, kRight - 14);
  }

  Canvas& canvas_;
  const Chart& chart_;
  Rect frame_;
  double scale_;
  Rect plot_;
  Axis x_, y_;
};

}  // namespace

Tensor draw_charts(const std::vector<Chart>& charts, const ChartOptions& o) {
  const double count = static_cast<double>(std::max<size_t>(charts.size(), 1));
  const auto pixels = [&](double length) { return static_cast<int64_t>(std::lround(length * o.scale)); };
  Canvas canvas(pixels(count * o.width + kMargin), pixels(o.height), kPaper);
  for (size_t i = 0; i < charts.size(); ++i) {
    const Rect frame{kMargin + static_cast<double>(i) * o.width, kMargin * 0.75, o.width - kMargin / 2, o.height - kMargin};
    ChartPainter(canvas, charts[i], frame, o.scale).paint();
  }
  return canvas.image();
}

Tensor training_curves(const std::vector<double>& train_loss, const std::vector<double>& val_loss, const Series& score, const ChartOptions& options) {
  const Chart loss{.title = "Loss", .series = {{"train", train_loss, Color::hex(0x9aa4b5)}, {"validation", val_loss, class_color(3)}}};
  const Chart scores{.title = score.name + ", validation", .series = {score}, .mark_highest = true};
  return draw_charts({loss, scores}, options);
}

}  // namespace tapetum::viz
