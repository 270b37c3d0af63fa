// Metrics summed over a whole set, so that the sizes of batches do not matter.
#pragma once
#include <vector>

#include "core/tensor.h"

namespace tapetum::train {

// Counts of (true class, predicted class). A class that appears neither in truth nor in prediction has no score: NaN, and it is
// left out of means.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int64_t classes, int64_t ignore_index = -100);

  // i64 tensors of one shape. Elements whose truth is ignore_index are skipped. Throws ShapeError, DTypeError, and Error naming a
  // label outside [0, classes).
  void add(const Tensor& prediction, const Tensor& truth);

  int64_t classes() const { return classes_; }
  int64_t count(int64_t truth, int64_t prediction) const { return counts_[static_cast<size_t>(truth * classes_ + prediction)]; }
  struct Sums {
    int64_t both, truth, prediction;  // elements of a class that were found, that there are, that were said to be
  };
  Sums sums(int64_t c) const;
  std::vector<double> iou() const;   // per class: both / (either)
  std::vector<double> dice() const;  // per class: 2 both / (truth + prediction)
  double miou() const;
  double pixel_accuracy() const;

 private:
  int64_t classes_, ignore_index_;
  std::vector<int64_t> counts_;
};

// The mean of the values that are not NaN; NaN without any.
double mean_of_known(const std::vector<double>& values);

// Weighted mean of values that come one by one.
class RunningMean {
 public:
  RunningMean() = default;
  RunningMean(double sum, double weight) : sum_(sum), weight_(weight) {}
  void add(double value, double weight = 1) {
    sum_ += value * weight;
    weight_ += weight;
  }
  double mean() const { return sum_ / weight_; }  // NaN without values
  double sum() const { return sum_; }
  double weight() const { return weight_; }

 private:
  double sum_ = 0, weight_ = 0;
};

}  // namespace tapetum::train
