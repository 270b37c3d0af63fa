// How good a classifier is, summed over a whole set: accuracy, top-k, precision, recall, F1, confusion, ROC AUC, calibration.
//
//   train::ClassificationMetrics metrics(10);
//   for (auto& batch : loader) metrics.update(model(batch.image), batch.label);
//   const auto result = metrics.result();  // result.accuracy, result.macro.f1, result.roc_auc, ...
#pragma once
#include <vector>

#include "core/tensor.h"
#include "train/metrics.h"

namespace tapetum::train {

// As scikit-learn has them with zero_division = 0: the precision of a class that was never predicted, the recall of one that never
// occurs and the F1 of one that is neither are 0. Means leave out a class that neither truth nor prediction has.
struct PrecisionRecall {
  double precision = 0, recall = 0, f1 = 0;
};

PrecisionRecall precision_recall(const ConfusionMatrix& confusion, int64_t c);  // of one class
enum class Average {
  macro,     // each class counts the same
  micro,     // each sample does: all three are the accuracy
  weighted,  // each class by its samples
};
PrecisionRecall precision_recall(const ConfusionMatrix& confusion, Average average);  // NaN without a sample

// Area under the receiver operating characteristic: how often a positive has a higher score than a negative, ties counting one half
// (Mann and Whitney 1947, from ranks: exact). NaN where one of the two is missing. Throws Error for a score that is NaN.
double roc_auc(const std::vector<double>& scores, const std::vector<bool>& positive);

// The samples whose confidence (the greatest probability) lies in (low, high]; means are NaN without any.
struct CalibrationBin {
  double low = 0, high = 0;
  int64_t count = 0;
  double confidence = 0, accuracy = 0;  // means
};

// Expected calibration error: the mean of |accuracy - confidence| over the bins, weighted by count (Guo et al. 2017). NaN without a sample.
double calibration_error(const std::vector<CalibrationBin>& bins);

struct ClassificationOptions {
  int64_t top_k = 5;            // at least as many as there are classes: always right
  int64_t bins = 15;            // of the calibration, equally wide
  bool roc_auc = true;          // keeps every probability, 8 bytes each: 400 MB for 50,000 samples of 1000 classes
  int64_t ignore_index = -100;  // samples of this label are skipped
};

struct ClassificationResult {
  int64_t samples = 0;
  double accuracy = 0, top_k_accuracy = 0;  // NaN without a sample, as everything below
  std::vector<PrecisionRecall> classes;
  PrecisionRecall macro, micro, weighted;
  std::vector<double> class_roc_auc;  // one class against the rest; NaN where it never or always occurs; empty where it was not asked for
  // Two classes: of the second one; more: the mean of those known, as scikit-learn's multi_class="ovr", average="macro"; NaN where not asked for.
  double roc_auc = 0;
  double calibration_error = 0;
  std::vector<CalibrationBin> bins;
};

class ClassificationMetrics {
 public:
  explicit ClassificationMetrics(int64_t classes, const ClassificationOptions& options = {});  // throws Error, ShapeError

  // logits [N, C], floating (log-probabilities are logits, too); labels i64 [N]; on any device. Of equal logits the first class is
  // predicted. Throws ShapeError, DTypeError, and Error naming a label outside the classes, a NaN or a row without a finite greatest logit:
  // then nothing of the batch has been counted.
  void update(const Tensor& logits, const Tensor& labels);
  ClassificationResult result() const;
  const ConfusionMatrix& confusion() const { return confusion_; }

 private:
  void check(const Tensor& logits, const Tensor& labels) const;
  void add(const double* row, int64_t label);

  ClassificationOptions options_;
  ConfusionMatrix confusion_;
  int64_t samples_ = 0, in_top_k_ = 0;
  struct Bin {
    int64_t count = 0, right = 0;
    double confidence = 0;  // sum
  };
  std::vector<Bin> bins_;
  std::vector<double> probabilities_;  // [samples, C]
  std::vector<int64_t> labels_;
};

}  // namespace tapetum::train
