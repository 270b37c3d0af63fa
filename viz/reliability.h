// How far a classifier's confidence can be believed: for each bin of confidence, how often it was right (Guo et al. 2017).
#pragma once
#include <string>
#include <vector>

#include "core/tensor.h"
#include "train/classification_metrics.h"

namespace tapetum::viz {

struct ReliabilityOptions {
  std::string title = "Reliability", subtitle = {};  // no subtitle: the calibration error and the number of samples
  double scale = 1;
};

// u8 [H, W, 3] from the bins of ClassificationResult: bars up to the accuracy, with what is missing to the confidence in red, or what
// stands above it in green; below them the number of samples.
Tensor reliability_diagram(const std::vector<train::CalibrationBin>& bins, const ReliabilityOptions& options = {});

}  // namespace tapetum::viz
