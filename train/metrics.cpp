#include "train/metrics.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/ops/view.h"

namespace tapetum::train {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double ratio(int64_t part, int64_t whole) { return whole ? static_cast<double>(part) / static_cast<double>(whole) : kNone; }

}  // namespace

ConfusionMatrix::ConfusionMatrix(int64_t classes, int64_t ignore_index) : classes_(classes), ignore_index_(ignore_index) {
  if (classes < 1 || classes > 46340) throw ShapeError(fmt::format("confusion_matrix: classes must be in [1, 46340], got {}", classes));
  counts_.resize(static_cast<size_t>(classes * classes));
}

void ConfusionMatrix::add(const Tensor& prediction, const Tensor& truth) {
  if (!(prediction.shape() == truth.shape()))
    throw ShapeError(fmt::format("confusion_matrix: prediction and truth must have one shape, got {} and {}", to_string(prediction.shape()),
                                 to_string(truth.shape())));
  const Tensor p = contiguous(prediction), t = contiguous(truth);
  const int64_t *predicted = p.data<int64_t>(), *labels = t.data<int64_t>();
  const auto valid = [&](int64_t c) { return c >= 0 && c < classes_; };
  for (int64_t i = 0; i < t.numel(); ++i) {
    if (labels[i] == ignore_index_) continue;
    if (!valid(labels[i]) || !valid(predicted[i]))
      throw Error(fmt::format("confusion_matrix: labels must be in [0, {}), got {} {}", classes_, valid(labels[i]) ? "prediction" : "truth",
                              valid(labels[i]) ? predicted[i] : labels[i]));
    ++counts_[static_cast<size_t>(labels[i] * classes_ + predicted[i])];
  }
}

ConfusionMatrix::Sums ConfusionMatrix::sums(int64_t c) const {
  Sums s{count(c, c), 0, 0};
  for (int64_t other = 0; other < classes_; ++other) {
    s.truth += count(c, other);
    s.prediction += count(other, c);
  }
  return s;
}

std::vector<double> ConfusionMatrix::iou() const {
  std::vector<double> scores;
  for (int64_t c = 0; c < classes_; ++c) {
    const Sums s = sums(c);
    scores.push_back(ratio(s.both, s.truth + s.prediction - s.both));
  }
  return scores;
}

std::vector<double> ConfusionMatrix::dice() const {
  std::vector<double> scores;
  for (int64_t c = 0; c < classes_; ++c) {
    const Sums s = sums(c);
    scores.push_back(ratio(2 * s.both, s.truth + s.prediction));
  }
  return scores;
}

double ConfusionMatrix::miou() const { return mean_of_known(iou()); }

double ConfusionMatrix::pixel_accuracy() const {
  int64_t right = 0, all = 0;
  for (int64_t c = 0; c < classes_; ++c) {
    const Sums s = sums(c);
    right += s.both;
    all += s.truth;
  }
  return ratio(right, all);
}

double mean_of_known(const std::vector<double>& values) {
  RunningMean mean;
  for (double v : values)
    if (!std::isnan(v)) mean.add(v);
  return mean.weight() ? mean.mean() : kNone;
}

}  // namespace tapetum::train
