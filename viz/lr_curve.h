// The trial of a learning-rate finder as a chart.
#pragma once
#include "train/lr_finder.h"
#include "viz/curves.h"

namespace tapetum::viz {

// The loss over the learning rate of a trial, with the rates that it suggests. Losses above the greatest smoothed one are left out.
Tensor learning_rate_curve(const train::LrSweep& sweep, const ChartOptions& options = {});

}  // namespace tapetum::viz
