// Line charts of a training run: values over epochs, or over another quantity, side by side in one picture.
#pragma once
#include <string>
#include <vector>

#include "core/tensor.h"
#include "viz/color.h"

namespace tapetum::viz {

struct Series {
  std::string name;
  std::vector<double> values;  // at epochs 1, 2, ..., or at the chart's x; NaN or infinite: a gap
  Color color = class_color(1);
};

struct Mark {  // an upright line at an x
  std::string name;
  double x = 0;
};

struct Chart {
  std::string title;
  std::vector<Series> series = {};
  bool mark_highest = false;  // the last series' best point, with its value
  bool log_scale = false;     // values that are not positive are gaps
  std::string x_label = "epoch";
  std::vector<double> x = {};  // of the values; none: 1, 2, ...
  bool log_x = false;          // of x: what is not positive is a gap
  std::vector<Mark> marks = {};
};

struct ChartOptions {
  double width = 620, height = 420;  // of one chart, before `scale`
  double scale = 1;
};

// The charts as a u8 image [H, W, 3]. A chart without a finite value shows its empty axes.
Tensor draw_charts(const std::vector<Chart>& charts, const ChartOptions& options = {});

// The usual pair: loss of training and validation, and a score of the validation, such as {"Mean IoU", ...}.
Tensor training_curves(const std::vector<double>& train_loss, const std::vector<double>& val_loss, const Series& score,
                       const ChartOptions& options = {});

}  // namespace tapetum::viz
