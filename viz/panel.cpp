#include "viz/panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/metrics.h"
#include "viz/sheet.h"

namespace tapetum::viz {
namespace {

constexpr Color kFalsePositive = Color::hex(0xffb01f), kFalseNegative = Color::hex(0xff3b77), kWrongClass = Color::hex(0x4cc9f0);
constexpr Color kScore = Color::hex(0x2ec4a6);

// Lengths of the design, in pixels at scale 1.
constexpr double kMargin = 48, kGap = 14, kRowGap = 22, kScoreColumn = 104, kCorner = 5, kSwatch = 13, kLegendLine = 26, kLegendGap = 24,
                 kFactWidth = 148, kFactLine = 52;
constexpr int64_t kMostClasses = 1024;  // a larger label is a mistake, which the confusion matrix names
constexpr const char* kHeadings[] = {"Image", "Truth", "Prediction", "Error"};
constexpr double kHeadingSize = 14.5;

// What a row needs to be drawn: pictures in the image's own resolution, and its score.
struct Row {
  Tensor pictures[4];
  double width, height;  // of a picture on the panel
  double iou;            // NaN: nothing to judge
  std::string name;
  bool has_ignored;
};

bool contains(const Tensor& labels, int64_t label) {
  const int64_t* begin = labels.data<int64_t>();
  return std::find(begin, begin + labels.numel(), label) != begin + labels.numel();
}

double mean_iou(const Tensor& truth, const Tensor& prediction, const PanelOptions& o) {
  int64_t classes = std::max<int64_t>(1, static_cast<int64_t>(o.classes.size()));
  for (const Tensor* labels : {&truth, &prediction}) {
    const int64_t* label = labels->data<int64_t>();
    for (int64_t i = 0; i < labels->numel(); ++i)
      if (label[i] != o.ignore_index && label[i] < kMostClasses) classes = std::max(classes, label[i] + 1);
  }
  train::ConfusionMatrix matrix(classes, o.ignore_index);
  matrix.add(prediction, truth);
  return matrix.miou();
}

// Errors over the image, which is turned grey and dark so that they stand out.
Tensor paint_errors(const Tensor& image, const Tensor& truth, const Tensor& prediction, const PanelOptions& o, double period) {
  Canvas canvas(image.size(1), image.size(0), kPaper);
  const int64_t *t = truth.data<int64_t>(), *p = prediction.data<int64_t>();
  const uint8_t* rgb = image.data<uint8_t>();
  for (int64_t y = 0; y < canvas.height(); ++y)
    for (int64_t x = 0; x < canvas.width(); ++x, ++t, ++p, rgb += 3) {
      const double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
      const uint8_t grey = static_cast<uint8_t>(20 + 0.42 * luma);
      Color color{grey, grey, static_cast<uint8_t>(grey + 6)};
      if (*t == o.ignore_index) {
        color = mix(color, hatch_color(x, y, period), 0.3);
      } else if (*t != *p) {
        const bool binary_error = o.background && (*t == 0 || *p == 0);
        color = !binary_error ? kWrongClass : *t == 0 ? kFalsePositive : kFalseNegative;
      }
      canvas.blend(x, y, color);
    }
  return canvas.image();
}

// How much an image is enlarged: by a whole number where it is smaller than the cell, so that its pixels stay equal.
double magnification(double longest, double cell) { return longest <= cell ? std::max(1.0, std::round(cell / longest)) : cell / longest; }

Row prepare(const PanelRow& row, const PanelOptions& o) {
  const Tensor image = to_rgb(row.image);
  const int64_t height = image.size(0), width = image.size(1);
  const Tensor truth = to_labels("segmentation_panel: truth", row.truth, height, width);
  const Tensor prediction = to_labels("segmentation_panel: prediction", row.prediction, height, width);
  const double factor = magnification(static_cast<double>(std::max(height, width)), o.cell);
  const double period = std::max(2.0, 8 / factor);
  return {{image, paint_labels(truth, o.ignore_index, period), paint_labels(prediction, o.ignore_index, period),
           paint_errors(image, truth, prediction, o, period)},
          std::max(1.0, std::round(static_cast<double>(width) * factor)),
          std::max(1.0, std::round(static_cast<double>(height) * factor)),
          mean_iou(truth, prediction, o),
          row.name,
          contains(truth, o.ignore_index)};
}

struct LegendEntry {
  std::string text;
  Color color;
  bool hatched = false;
};

std::vector<LegendEntry> class_legend(const std::vector<Row>& rows, const PanelOptions& o) {
  std::vector<LegendEntry> entries;
  for (size_t i = 0; i < o.classes.size(); ++i) entries.push_back({o.classes[i], class_color(static_cast<int64_t>(i))});
  if (std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.has_ignored; })) entries.push_back({"not judged", {}, true});
  return entries;
}

std::vector<LegendEntry> error_legend(const PanelOptions& o) {
  if (!o.background) return {{"wrong class", kWrongClass}};
  std::vector<LegendEntry> entries{{"false positive", kFalsePositive}, {"false negative", kFalseNegative}};
  if (o.classes.size() > 2) entries.push_back({"wrong class", kWrongClass});
  return entries;
}

// Draws the parts from top to bottom. Without a canvas it only measures: the first pass finds the height, the second draws.
class Painter {
 public:
  Painter(const std::vector<Row>& rows, const PanelOptions& o) : rows_(rows), o_(o) {
    for (const char* heading : kHeadings) column_ = std::max(column_, text_width(heading, {.size = kHeadingSize, .weight = Weight::bold}));
    for (const Row& row : rows) column_ = std::max(column_, row.width);
    content_ = std::max(4 * column_ + 4 * kGap + kScoreColumn, 720.0);
  }
  double width() const { return content_ + 2 * kMargin; }

  // The height that the panel takes.
  double paint(Canvas* canvas) {
    canvas_ = canvas;
    y_ = kMargin;
    header();
    headings();
    for (const Row& row : rows_) samples(row);
    footer();
    return y_ + kMargin;
  }

 private:
  double column(int i) const { return kMargin + i * (column_ + kGap); }

  void text(std::string_view s, double x, double baseline, double size, Weight weight, Color color, double fit, Align align = Align::left) {
    if (!canvas_) return;
    const TextStyle style{size * o_.scale, weight, color, align};
    canvas_->text(fit_text(s, style, fit * o_.scale), x * o_.scale, baseline * o_.scale, style);
  }
  void rect(const Rect& r, Color color, double radius = 0) {
    if (canvas_) canvas_->fill_rect({r.x * o_.scale, r.y * o_.scale, r.width * o_.scale, r.height * o_.scale}, color, radius * o_.scale);
  }
  void picture(const Tensor& image, const Rect& r, Scaling scaling) {
    if (canvas_) canvas_->draw(image, {r.x * o_.scale, r.y * o_.scale, r.width * o_.scale, r.height * o_.scale}, scaling, kCorner * o_.scale);
  }

  void header() {
    text(o_.title, kMargin, y_ + 27, 34, Weight::bold, kInk, content_);
    y_ += 34;
    if (!o_.subtitle.empty()) {
      text(o_.subtitle, kMargin, y_ + 22, 16.5, Weight::regular, kMuted, content_);
      y_ += 28;
    }
    y_ += 20;
    legend(class_legend(rows_, o_), kMargin);
    y_ += 26;
  }

  double entry_width(const LegendEntry& e) const { return kSwatch + 8 + text_width(e.text, {.size = 14.5}); }

  // Entries side by side from `start`, in as many lines as they need.
  void legend(const std::vector<LegendEntry>& entries, double start) {
    if (entries.empty()) return;
    const double right = kMargin + content_;
    double x = start;
    for (const LegendEntry& e : entries) {
      if (x > start && x + entry_width(e) > right) {
        x = start;
        y_ += kLegendLine;
      }
      swatch(e, x, y_);
      text(e.text, x + kSwatch + 8, y_ + 11.5, 14.5, Weight::regular, kInk, right - x - kSwatch - 8);
      x += entry_width(e) + kLegendGap;
    }
    y_ += kSwatch;
  }

  // Under the error pictures, moved to the left as far as one line needs.
  void legend_of_errors() {
    const std::vector<LegendEntry> entries = error_legend(o_);
    double length = -kLegendGap;
    for (const LegendEntry& e : entries) length += entry_width(e) + kLegendGap;
    legend(entries, std::max(kMargin, std::min(column(3), kMargin + content_ - length)));
  }

  void swatch(const LegendEntry& e, double x, double y) {
    const Rect box{x, y, kSwatch, kSwatch};
    if (!e.hatched) return rect(box, e.color, 3);
    Canvas tile(static_cast<int64_t>(kSwatch * o_.scale), static_cast<int64_t>(kSwatch * o_.scale), kPaper);
    for (int64_t j = 0; j < tile.height(); ++j)
      for (int64_t i = 0; i < tile.width(); ++i) tile.blend(i, j, hatch_color(i, j, 5 * o_.scale));
    if (canvas_) canvas_->draw(tile.image(), {x * o_.scale, y * o_.scale, kSwatch * o_.scale, kSwatch * o_.scale}, Scaling::nearest, 3 * o_.scale);
  }

  void headings() {
    if (rows_.empty()) return;
    for (int i = 0; i < 4; ++i) text(kHeadings[i], column(i), y_ + 12, kHeadingSize, Weight::bold, kInk, column_);
    text("IoU", column(4) + 6, y_ + 12, kHeadingSize, Weight::bold, kInk, kScoreColumn);
    y_ += 24;
  }

  void samples(const Row& row) {
    for (int i = 0; i < 4; ++i) picture(row.pictures[i], {column(i), y_, row.width, row.height}, i == 0 ? Scaling::bilinear : Scaling::nearest);
    score(row);
    y_ += std::max(row.height, 72.0) + kRowGap;
  }

  void score(const Row& row) {
    const double x = column(4) + 6, room = kScoreColumn - 6;
    const bool judged = !std::isnan(row.iou);
    text(judged ? fmt::format("{:.3f}", row.iou) : "\u2013", x, y_ + 21, 27, Weight::bold, kInk, room);
    rect({x, y_ + 33, room, 4}, kRule, 2);
    if (judged && row.iou > 0) rect({x, y_ + 33, std::max(4.0, room * row.iou), 4}, kScore, 2);
    text(row.name, x, y_ + 57, 13, Weight::regular, kMuted, room);
  }

  void footer() {
    if (!rows_.empty()) {
      legend_of_errors();
      y_ += 30;
    }
    if (o_.facts.empty()) return;
    rect({kMargin, y_, content_, 1}, kRule);
    y_ += 24;
    const int columns = std::max(1, static_cast<int>(content_ / kFactWidth));
    const double width = content_ / columns;
    for (size_t i = 0; i < o_.facts.size(); ++i) {
      const double x = kMargin + width * static_cast<double>(i % static_cast<size_t>(columns));
      if (i && i % static_cast<size_t>(columns) == 0) y_ += kFactLine;
      text(o_.facts[i].name, x, y_ + 10, 13, Weight::regular, kMuted, width - 16);
      text(o_.facts[i].value, x, y_ + 32, 16.5, Weight::bold, kInk, width - 16);
    }
    y_ += 36;
  }

  const std::vector<Row>& rows_;
  const PanelOptions& o_;
  double column_ = 0, content_ = 0, y_ = 0;
  Canvas* canvas_ = nullptr;
};

}  // namespace

Tensor segmentation_panel(const std::vector<PanelRow>& rows, const PanelOptions& options) {
  std::vector<Row> prepared;
  for (const PanelRow& row : rows) prepared.push_back(prepare(row, options));
  Painter painter(prepared, options);
  const auto pixels = [&](double length) { return static_cast<int64_t>(std::lround(length * options.scale)); };
  Canvas canvas(pixels(painter.width()), pixels(painter.paint(nullptr)), kPaper);
  painter.paint(&canvas);
  return canvas.image();
}

}  // namespace tapetum::viz
