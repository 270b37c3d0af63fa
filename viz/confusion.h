// The confusion matrix as a picture: a row for each true class, a column for each predicted one.
#pragma once
#include <string>
#include <vector>

#include "core/tensor.h"
#include "train/metrics.h"

namespace tapetum::viz {

struct ConfusionOptions {
  std::string title = "Confusion matrix", subtitle = {};  // no subtitle: how many samples and how many of them are right
  std::vector<std::string> classes = {};                  // names; where there are none, the number
  double scale = 1;
};

// u8 [H, W, 3]. A cell's colour is its share of the row, by its square root, so that rare confusions are seen, too; the share in per cent and the
// count stand in it where there is room: up to about 12 and 20 classes. Rows without a sample are grey. Throws Error for more than 1000 classes.
Tensor confusion_matrix(const train::ConfusionMatrix& matrix, const ConfusionOptions& options = {});

}  // namespace tapetum::viz
