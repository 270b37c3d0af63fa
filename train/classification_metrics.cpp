#include "train/classification_metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"

namespace tapetum::train {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double ratio(int64_t part, int64_t whole, double without) { return whole ? static_cast<double>(part) / static_cast<double>(whole) : without; }

PrecisionRecall scores_of(const ConfusionMatrix::Sums& s) {
  return {ratio(s.both, s.prediction, 0), ratio(s.both, s.truth, 0), ratio(2 * s.both, s.truth + s.prediction, 0)};
}

}  // namespace

PrecisionRecall precision_recall(const ConfusionMatrix& confusion, int64_t c) {
  if (c < 0 || c >= confusion.classes()) throw IndexError(fmt::format("precision_recall: class must be in [0, {}), got {}", confusion.classes(), c));
  return scores_of(confusion.sums(c));
}

PrecisionRecall precision_recall(const ConfusionMatrix& confusion, Average average) {
  if (average == Average::micro) {
    const double accuracy = confusion.pixel_accuracy();
    return {accuracy, accuracy, accuracy};
  }
  RunningMean precision, recall, f1;
  for (int64_t c = 0; c < confusion.classes(); ++c) {
    const ConfusionMatrix::Sums s = confusion.sums(c);
    if (s.truth + s.prediction == 0) continue;
    const PrecisionRecall scores = scores_of(s);
    const double weight = average == Average::macro ? 1 : static_cast<double>(s.truth);
    precision.add(scores.precision, weight);
    recall.add(scores.recall, weight);
    f1.add(scores.f1, weight);
  }
  return {precision.mean(), recall.mean(), f1.mean()};
}

double roc_auc(const std::vector<double>& scores, const std::vector<bool>& positive) {
  if (scores.size() != positive.size())
    throw ShapeError(fmt::format("roc_auc: as many scores as labels are expected, got {} and {}", scores.size(), positive.size()));
  for (size_t i = 0; i < scores.size(); ++i)
    if (std::isnan(scores[i])) throw Error(fmt::format("roc_auc: scores must not be NaN, got nan at [{}]", i));
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  // Twice the number of pairs that are in order, a tie being half a pair: whole numbers, so that nothing is rounded.
  int64_t pairs2 = 0, negatives = 0, positives = 0;
  for (size_t begin = 0, end; begin < order.size(); begin = end) {
    int64_t equal[2] = {0, 0};
    for (end = begin; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) ++equal[positive[order[end]]];
    pairs2 += equal[1] * (2 * negatives + equal[0]);
    negatives += equal[0];
    positives += equal[1];
  }
  if (!negatives || !positives) return kNone;
  return static_cast<double>(pairs2) / (2 * static_cast<double>(negatives) * static_cast<double>(positives));
}

double calibration_error(const std::vector<CalibrationBin>& bins) {
  RunningMean error;
  for (const CalibrationBin& b : bins)
    if (b.count) error.add(std::abs(b.accuracy - b.confidence), static_cast<double>(b.count));
  return error.mean();
}

ClassificationMetrics::ClassificationMetrics(int64_t classes, const ClassificationOptions& options)
    : options_(options), confusion_(classes, options.ignore_index) {
  if (options.top_k < 1) throw Error(fmt::format("classification_metrics: top_k must be at least 1, got {}", options.top_k));
  if (options.bins < 1 || options.bins > 100000)
    throw Error(fmt::format("classification_metrics: bins must be in [1, 100000], got {}", options.bins));
  bins_.resize(static_cast<size_t>(options.bins));
}

void ClassificationMetrics::check(const Tensor& logits, const Tensor& labels) const {
  const int64_t classes = confusion_.classes();
  if (!is_floating(logits.dtype())) throw DTypeError(fmt::format("classification_metrics: logits must be floating, got {}", name_of(logits.dtype())));
  if (labels.dtype() != DType::i64) throw DTypeError(fmt::format("classification_metrics: labels must be i64, got {}", name_of(labels.dtype())));
  if (logits.dim() != 2 || logits.size(1) != classes || labels.shape() != Shape{logits.size(0)})
    throw ShapeError(fmt::format("classification_metrics: logits must be [N, {}] and labels [N], got {} and {}", classes, to_string(logits.shape()),
                                 to_string(labels.shape())));
}

void ClassificationMetrics::update(const Tensor& logits, const Tensor& labels) {
  check(logits, labels);
  const NoGrad no_grad;
  const Tensor x = contiguous(to(to(logits, Device()), DType::f64)), t = contiguous(to(labels, Device()));
  const int64_t n = x.size(0), classes = x.size(1);
  const double* values = x.data<double>();
  const int64_t* label = t.data<int64_t>();
  for (int64_t i = 0; i < n; ++i) {
    const double* row = values + i * classes;
    for (int64_t c = 0; c < classes; ++c)
      if (std::isnan(row[c]) || row[c] == HUGE_VAL)
        throw Error(fmt::format("classification_metrics: logits must be numbers, got {} at [{}, {}]", row[c], i, c));
    if (*std::max_element(row, row + classes) == -HUGE_VAL)
      throw Error(fmt::format("classification_metrics: a row of logits must have a finite one, got -inf alone at [{}]", i));
    if (label[i] != options_.ignore_index && (label[i] < 0 || label[i] >= classes))
      throw Error(fmt::format("classification_metrics: labels must be in [0, {}), got {} at [{}]", classes, label[i], i));
  }
  Tensor prediction = empty({n}, DType::i64);
  for (int64_t i = 0; i < n; ++i) {
    const double* row = values + i * classes;
    prediction.mutable_data<int64_t>()[i] = std::max_element(row, row + classes) - row;
    if (label[i] != options_.ignore_index) add(row, label[i]);
  }
  confusion_.add(prediction, t);
}

void ClassificationMetrics::add(const double* row, int64_t label) {
  const int64_t classes = confusion_.classes();
  const int64_t predicted = std::max_element(row, row + classes) - row;
  int64_t before = 0;  // classes that stand before the true one
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c) {
    before += row[c] > row[label] || (row[c] == row[label] && c < label);
    sum += std::exp(row[c] - row[predicted]);
  }
  ++samples_;
  in_top_k_ += before < options_.top_k;
  const double confidence = 1 / sum, place = std::ceil(confidence * static_cast<double>(options_.bins)) - 1;
  Bin& bin = bins_[static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(options_.bins - 1)))];
  ++bin.count;
  bin.right += predicted == label;
  bin.confidence += confidence;
  if (!options_.roc_auc) return;
  for (int64_t c = 0; c < classes; ++c) probabilities_.push_back(std::exp(row[c] - row[predicted]) / sum);
  labels_.push_back(label);
}

ClassificationResult ClassificationMetrics::result() const {
  ClassificationResult r;
  const int64_t classes = confusion_.classes();
  r.samples = samples_;
  r.accuracy = confusion_.pixel_accuracy();
  r.top_k_accuracy = ratio(in_top_k_, samples_, kNone);
  for (int64_t c = 0; c < classes; ++c) r.classes.push_back(precision_recall(confusion_, c));
  r.macro = precision_recall(confusion_, Average::macro);
  r.micro = precision_recall(confusion_, Average::micro);
  r.weighted = precision_recall(confusion_, Average::weighted);

  std::vector<double> scores(labels_.size());
  std::vector<bool> positive(labels_.size());
  for (int64_t c = 0; c < classes && options_.roc_auc; ++c) {
    for (size_t i = 0; i < labels_.size(); ++i) {
      scores[i] = probabilities_[i * static_cast<size_t>(classes) + static_cast<size_t>(c)];
      positive[i] = labels_[i] == c;
    }
    r.class_roc_auc.push_back(roc_auc(scores, positive));
  }
  r.roc_auc = r.class_roc_auc.size() == 2 ? r.class_roc_auc[1] : mean_of_known(r.class_roc_auc);

  for (size_t b = 0; b < bins_.size(); ++b) {
    const double width = 1 / static_cast<double>(options_.bins), count = static_cast<double>(bins_[b].count);
    r.bins.push_back({static_cast<double>(b) * width, static_cast<double>(b + 1) * width, bins_[b].count, bins_[b].confidence / count,
                      static_cast<double>(bins_[b].right) / count});
  }
  r.calibration_error = calibration_error(r.bins);
  return r;
}

}  // namespace tapetum::train
