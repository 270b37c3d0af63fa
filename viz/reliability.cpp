#include "viz/reliability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/sheet.h"

namespace tapetum::viz {
namespace {

constexpr double kMargin = 48, kHeader = 88, kPlot = 420, kAxis = 44, kCounts = 70, kGap = 16;
constexpr Color kBar = Color::hex(0x3f8fb5), kGrid = Color::hex(0xe9ecf0), kBase = Color::hex(0xb9c0ca);
constexpr Color kTooSure = Color::hex(0xf3b3c4), kTooModest = Color::hex(0x7cc9b4);

}  // namespace

Tensor reliability_diagram(const std::vector<train::CalibrationBin>& bins, const ReliabilityOptions& o) {
  Sheet sheet(kMargin + kAxis + kPlot + 168, kMargin + kHeader + kPlot + kGap + kCounts + 50 + kMargin / 2, o.scale);
  const double left = kMargin + kAxis, top = kMargin + kHeader, bottom = top + kPlot, low = bottom + kGap + kCounts;
  int64_t samples = 0, most = 1;
  for (const auto& b : bins) samples += b.count, most = std::max(most, b.count);
  const std::string facts = samples ? fmt::format("calibration error {:.3f}, {} samples", calibration_error(bins), samples) : "no sample";
  sheet.text(o.title, kMargin, kMargin + 27, kAxis + kPlot + 60, {34, Weight::bold});
  sheet.text(o.subtitle.empty() ? facts : o.subtitle, kMargin, kMargin + 56, kAxis + kPlot + 60, {16.5, Weight::regular, kMuted});
  for (int i = 0; i <= 5; ++i) {
    const double part = i / 5.0, y = bottom - part * kPlot, x = left + part * kPlot;
    sheet.rect({left, y, kPlot, 1}, i ? kGrid : kBase);
    sheet.text(fmt::format("{:.1f}", part), left - 10, y + 4.5, kAxis, {13, Weight::regular, kMuted, Align::right});
    sheet.text(fmt::format("{:.1f}", part), x, low + 22, 60, {13, Weight::regular, kMuted, Align::center});
  }
  for (const auto& b : bins) {
    const double width = (b.high - b.low) * kPlot, space = std::min(3.0, width / 4), x = left + b.low * kPlot + space / 2;
    if (!b.count) continue;
    const double right = b.accuracy * kPlot, said = b.confidence * kPlot;
    sheet.rect({x, bottom - std::min(right, said), width - space, std::min(right, said)}, kBar);
    sheet.rect({x, bottom - std::max(right, said), width - space, std::abs(right - said)}, right < said ? kTooSure : kTooModest);
    const double tall = std::max(1.5, kCounts * static_cast<double>(b.count) / static_cast<double>(most));
    sheet.rect({x, low - tall, width - space, tall}, kBase);
  }
  sheet.line({{left, bottom}, {left + kPlot, top}}, 1.6, kInk.with_alpha(0.55));
  sheet.rect({left, low, kPlot, 1}, kBase);
  sheet.text("confidence", left + kPlot + 20, low + 22, 106, {13, Weight::regular, kMuted});
  const std::pair<const char*, Color> legend[] = {{"accuracy", kBar}, {"too sure", kTooSure}, {"too modest", kTooModest}, {"samples", kBase}};
  double y = top + 6;
  for (const auto& [name, color] : legend) {
    sheet.rect({left + kPlot + 20, y - 11, 13, 13}, color, 3);
    sheet.text(name, left + kPlot + 41, y, 100, {14});
    y += 24;
  }
  return sheet.image();
}

}  // namespace tapetum::viz
