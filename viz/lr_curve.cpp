#include "viz/lr_curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tapetum::viz {

Tensor learning_rate_curve(const train::LrSweep& sweep, const ChartOptions& options) {
  std::vector<double> loss = sweep.loss;
  const double greatest = sweep.smoothed.empty() ? 0 : *std::max_element(sweep.smoothed.begin(), sweep.smoothed.end());
  for (double& v : loss) v = v > greatest ? NAN : v;
  Chart chart{.title = "Loss by learning rate", .series = {{"loss", loss, Color::hex(0xc3cad4)}, {"smoothed", sweep.smoothed, class_color(3)}}};
  chart.x_label = "rate";
  chart.x = sweep.lr;
  chart.log_x = true;
  for (const auto& [name, rate] : {std::pair("steepest", sweep.steepest), std::pair("minimum / 10", sweep.minimum_tenth)})
    if (std::isfinite(rate)) chart.marks.push_back({fmt::format("{}: {:.2g}", name, rate), rate});
  return draw_charts({chart}, options);
}

}  // namespace tapetum::viz
