#include "viz/confusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "viz/sheet.h"

namespace tapetum::viz {
namespace {

constexpr double kMargin = 48, kHeader = 92, kSide = 720, kLargestCell = 116, kMostLabel = 170, kBar = 14, kBarColumn = 96;
constexpr double kCellForPercent = 34, kCellForCount = 58;

// 99.96 is not 100: what is less than the whole row never says so, and what is more than nothing never says 0.
std::string percent_text(double share, int decimals) {
  const double percent = 100 * share, least = decimals ? 0.1 : 1;
  if (share == 0 || share == 1) return share == 0 ? "0" : "100";
  if (percent < least) return fmt::format("<{}", least);
  if (percent > 100 - least) return fmt::format(">{}", 100 - least);
  return fmt::format("{:.{}f}", percent, decimals);
}

class Painter {
 public:
  Painter(const train::ConfusionMatrix& matrix, const ConfusionOptions& o)
      : matrix_(matrix), o_(o), n_(matrix.classes()), cell_(std::clamp(std::floor(kSide / static_cast<double>(n_)), 1.0, kLargestCell)) {
    label_.size = std::clamp(cell_ * 0.8, 11.0, 14.0);
    step_ = static_cast<int64_t>(std::ceil((label_.size + 2) / cell_));
    for (int64_t c = 0; c < n_; c += step_) label_width_ = std::max(label_width_, Sheet::width_of(name(c), label_) + 4);
    label_width_ = std::min(label_width_, kMostLabel);
    for (int64_t c = 0; c < n_; ++c) flat_ = flat_ && Sheet::width_of(name(c), label_) <= cell_ - 8;
    top_ = kMargin + kHeader + 22 + (flat_ ? 18 : label_width_ + 6);
    left_ = kMargin + 26 + label_width_ + 8;
  }

  Tensor paint() {
    const double side = cell_ * static_cast<double>(n_);
    const double width = std::max(left_ + side + kBarColumn + kMargin, 460.0), height = top_ + std::max(side, 152.0) + kMargin;
    Sheet sheet(width, height, o_.scale);
    header(sheet, width - 2 * kMargin);
    names(sheet, side);
    for (int64_t t = 0; t < n_; ++t) row(sheet, t);
    bar(sheet, left_ + side + 28, std::clamp(side - 36, 110.0, 260.0));
    return sheet.image();
  }

 private:
  std::string name(int64_t c) const { return c < static_cast<int64_t>(o_.classes.size()) ? o_.classes[static_cast<size_t>(c)] : std::to_string(c); }

  void header(Sheet& sheet, double room) const {
    sheet.text(o_.title, kMargin, kMargin + 27, room, {34, Weight::bold});
    int64_t samples = 0;
    for (int64_t c = 0; c < n_; ++c) samples += matrix_.sums(c).truth;
    const std::string facts = samples ? fmt::format("{} samples, {:.1f} % right", samples, 100 * matrix_.pixel_accuracy()) : "no sample";
    sheet.text(o_.subtitle.empty() ? facts : o_.subtitle, kMargin, kMargin + 56, room, {16.5, Weight::regular, kMuted});
  }

  void names(Sheet& sheet, double side) const {
    const Sheet::Text heading{14.5, Weight::bold, kMuted};
    sheet.text("predicted", left_, kMargin + kHeader + 4, std::max(side, 100.0), heading);
    sheet.upright("true", kMargin + 6, top_, std::max(side, 60.0), {14.5, Weight::bold, kMuted, Align::right});
    for (int64_t c = 0; c < n_; c += step_) {
      const double middle = (static_cast<double>(c) + 0.5) * cell_;
      Sheet::Text style = label_;
      style.align = flat_ ? Align::center : Align::left;
      if (flat_)
        sheet.text(name(c), left_ + middle, top_ - 10, cell_, style);
      else
        sheet.upright(name(c), left_ + middle, top_ - 6, label_width_, style);
      style.align = Align::right;
      sheet.text(name(c), left_ - 8, top_ + middle + label_.size * 0.34, label_width_, style);
    }
  }

  void row(Sheet& sheet, int64_t t) const {
    const int64_t all = matrix_.sums(t).truth;
    const double gap = cell_ >= 20 ? 2 : cell_ >= 6 ? 1 : 0, radius = cell_ >= 20 ? 3 : 0;
    for (int64_t p = 0; p < n_; ++p) {
      const Rect box{left_ + static_cast<double>(p) * cell_, top_ + static_cast<double>(t) * cell_, cell_ - gap, cell_ - gap};
      const double share = all ? static_cast<double>(matrix_.count(t, p)) / static_cast<double>(all) : 0;
      sheet.rect(box, all ? sequential_color(std::sqrt(share)) : kRule, radius);
      if (all && cell_ >= kCellForPercent) numbers(sheet, box, share, matrix_.count(t, p));
    }
    if (!all && cell_ >= 6) {  // nothing to divide by
      const double y = top_ + (static_cast<double>(t) + 0.5) * cell_;
      sheet.rect({left_, y - 1, cell_ * static_cast<double>(n_) - gap, 2}, kMuted.with_alpha(0.4));
    }
  }

  void numbers(Sheet& sheet, const Rect& box, double share, int64_t count) const {
    const double x = box.x + box.width / 2, y = box.y + box.height / 2, room = box.width - 4;
    const bool dark = share > 0.2, small = cell_ < kCellForCount;
    const Color color = dark ? kPaper : count ? kInk : kMuted.with_alpha(0.6);
    const std::string text = percent_text(share, small ? 0 : 1);
    if (small) return sheet.text(text, x, y + 4.5, room, {std::clamp(cell_ * 0.33, 11.0, 14.0), Weight::regular, color, Align::center});
    const double size = std::clamp(cell_ * 0.2, 14.0, 22.0);
    sheet.text(text + (count ? " %" : ""), x, y + (count ? 0 : size * 0.36), room, {size, Weight::bold, color, Align::center});
    if (count) sheet.text(std::to_string(count), x, y + size * 0.95, room, {12.5, Weight::regular, color.with_alpha(0.8), Align::center});
  }

  void bar(Sheet& sheet, double x, double height) const {
    for (double y = 0; y < height; ++y) sheet.rect({x, top_ + y, kBar, 1.0 / o_.scale + 1}, sequential_color(1 - y / height));
    for (int percent : {0, 5, 20, 50, 100}) {
      const double y = top_ + height * (1 - std::sqrt(percent / 100.0));
      sheet.text(fmt::format("{} %", percent), x + kBar + 8, y + 4.5, kBarColumn - kBar - 8, {12.5, Weight::regular, kMuted});
    }
    sheet.text("of the row", x, top_ + height + 26, kBarColumn + kMargin - 32, {12.5, Weight::regular, kMuted});
  }

  const train::ConfusionMatrix& matrix_;
  const ConfusionOptions& o_;
  int64_t n_, step_ = 1;  // every step_-th name has room
  double cell_, label_width_ = 0, top_ = 0, left_ = 0;
  bool flat_ = true;  // names of columns fit above them
  Sheet::Text label_;
};

}  // namespace

Tensor confusion_matrix(const train::ConfusionMatrix& matrix, const ConfusionOptions& options) {
  if (matrix.classes() > 1000) throw Error(fmt::format("confusion_matrix: at most 1000 classes can be drawn, got {}", matrix.classes()));
  return Painter(matrix, options).paint();
}

}  // namespace tapetum::viz
