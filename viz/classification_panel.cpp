#include "viz/classification_panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "viz/labels.h"
#include "viz/sheet.h"

namespace tapetum::viz {
namespace {

constexpr double kMargin = 48, kHeader = 84, kGap = 18, kCaption = 66, kCorner = 5;

// The largest place of the image's proportions within a square; small images are enlarged by whole numbers where they can be.
Rect place(const Tensor& rgb, double x, double y, double cell) {
  const double h = static_cast<double>(rgb.size(0)), w = static_cast<double>(rgb.size(1)), longest = std::max(h, w);
  const double whole = std::floor(cell / longest), factor = whole >= 4 ? whole : cell / longest;
  const double width = std::max(1.0, std::round(w * factor)), height = std::max(1.0, std::round(h * factor));
  return {x + std::floor((cell - width) / 2), y + std::floor((cell - height) / 2), width, height};
}

void mark(Sheet& sheet, Point at, bool right) {
  sheet.circle(at, 11, kPaper);
  sheet.circle(at, 9, right ? kRight : kWrong);
  if (right) return sheet.line({{at.x - 4, at.y + 0.3}, {at.x - 1.2, at.y + 3.2}, {at.x + 4.2, at.y - 3.2}}, 2, kPaper);
  sheet.line({{at.x - 3.2, at.y - 3.2}, {at.x + 3.2, at.y + 3.2}}, 2, kPaper);
  sheet.line({{at.x + 3.2, at.y - 3.2}, {at.x - 3.2, at.y + 3.2}}, 2, kPaper);
}

void card(Sheet& sheet, const ClassifiedImage& i, double x, double y, double cell) {
  const Tensor rgb = to_rgb(i.image);
  const Rect box = place(rgb, x, y, cell);
  const bool known = !i.truth.empty(), right = i.truth == i.predicted;
  sheet.rect({x, y, cell, cell}, Color::hex(0xf1f3f6), kCorner);
  sheet.picture(rgb, box, box.width >= 4 * static_cast<double>(rgb.size(1)) ? Scaling::nearest : Scaling::bilinear, kCorner);
  if (known && !right) sheet.frame({x - 3, y - 3, cell + 6, cell + 6}, 3, kWrong, kCorner + 3);
  if (known) mark(sheet, {x + cell - 3, y + 3}, right);
  const std::string score = std::isnan(i.score) ? "" : fmt::format("{:.0f} %", 100 * i.score);
  const double score_width = score.empty() ? 0 : Sheet::width_of(score, {13}) + 8;
  sheet.text(i.predicted, x, y + cell + 21, cell - score_width, {14.5, Weight::bold});
  sheet.text(score, x + cell, y + cell + 21, cell, {13, Weight::regular, kMuted, Align::right});
  if (known && !right) sheet.text("is " + i.truth, x, y + cell + 40, cell, {13.5, Weight::regular, kWrong});
}

}  // namespace

Tensor classification_panel(const std::vector<ClassifiedImage>& images, const ClassificationPanelOptions& o) {
  if (o.columns < 0) throw Error(fmt::format("classification_panel: columns must be at least 0, got {}", o.columns));
  if (!(o.cell >= 16 && o.cell <= 4096)) throw Error(fmt::format("classification_panel: cell must be in [16, 4096], got {}", o.cell));
  const auto n = static_cast<int64_t>(images.size());
  const int64_t fitting = static_cast<int64_t>(std::ceil(std::sqrt(1.6 * static_cast<double>(n))));
  const int64_t columns = o.columns ? o.columns : std::clamp<int64_t>(fitting, 1, 8), rows = (n + columns - 1) / columns;
  const double content = std::max(static_cast<double>(std::min(columns, std::max<int64_t>(n, 1))) * (o.cell + kGap) - kGap, 420.0);
  const double down = static_cast<double>(rows) * (o.cell + kCaption) - (rows ? kCaption - 46 : 0);
  Sheet sheet(content + 2 * kMargin, 2 * kMargin + kHeader + down, o.scale);
  int64_t known = 0, right = 0;
  for (const auto& i : images) known += !i.truth.empty(), right += !i.truth.empty() && i.truth == i.predicted;
  const std::string facts = known ? fmt::format("{} of {} right", right, known) : "";
  sheet.text(o.title, kMargin, kMargin + 27, content, {34, Weight::bold});
  sheet.text(o.subtitle.empty() ? facts : o.subtitle, kMargin, kMargin + 56, content, {16.5, Weight::regular, kMuted});
  for (int64_t i = 0; i < n; ++i) {
    const double x = kMargin + static_cast<double>(i % columns) * (o.cell + kGap),
                 y = kMargin + kHeader + static_cast<double>(i / columns) * (o.cell + kCaption);
    card(sheet, images[static_cast<size_t>(i)], x, y, o.cell);
  }
  return sheet.image();
}

}  // namespace tapetum::viz
