#include "viz/top_classes.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "viz/canvas.h"
#include "viz/labels.h"

namespace tapetum::viz {
namespace {

constexpr double kMargin = 16, kRow = 30, kBar = 6;
constexpr Color kPaper = Color::hex(0xffffff), kInk = Color::hex(0x1b1f27), kQuiet = Color::hex(0x6b7280), kTrack = Color::hex(0xe7e9ee),
                kFirst = Color::hex(0x2563eb), kOther = Color::hex(0x9db4e8);

// One class: its name, its share in per cent, and a bar of that length.
void draw_row(Canvas& canvas, const TopClass& c, double y, bool first) {
  const double left = kMargin, width = static_cast<double>(canvas.width()) - 2 * kMargin;
  const TextStyle name{.size = 15, .weight = first ? Weight::bold : Weight::regular, .color = kInk},
      share{.size = 14, .color = kQuiet, .align = Align::right};
  canvas.text(fit_text(c.name, name, width - 70), left, y + 14, name);
  canvas.text(fmt::format("{:.1f} %", 100 * c.score), left + width, y + 14, share);
  canvas.fill_rect({left, y + 19, width, kBar}, kTrack, kBar / 2);
  const double length = std::clamp(std::isfinite(c.score) ? c.score : 0, 0.0, 1.0) * width;
  if (length >= 1) canvas.fill_rect({left, y + 19, std::max(length, kBar), kBar}, first ? kFirst : kOther, kBar / 2);
}

}  // namespace

Tensor top_classes(const Tensor& image, const std::vector<TopClass>& classes) {
  const Tensor photo = to_rgb(image);
  const double h = static_cast<double>(photo.size(0)), w = static_cast<double>(photo.size(1));
  const double scale = std::min(std::clamp(w, 320.0, 640.0) / w, 960 / h), width = std::max(320.0, std::round(scale * w)),
               height = std::max(1.0, std::round(scale * h));
  const double below = kMargin + kRow * static_cast<double>(classes.size()) + kMargin / 2;
  Canvas canvas(static_cast<int64_t>(width), static_cast<int64_t>(height + below), kPaper);
  const double drawn = std::max(1.0, std::round(scale * w));
  canvas.draw(photo, {(width - drawn) / 2, 0, drawn, height}, Scaling::bilinear);
  for (size_t i = 0; i < classes.size(); ++i) draw_row(canvas, classes[i], height + kMargin + kRow * static_cast<double>(i), i == 0);
  return canvas.image();
}

}  // namespace tapetum::viz
