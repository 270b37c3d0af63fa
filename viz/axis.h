// One axis of a chart: round numbers for its ends and ticks.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace tapetum::viz {

struct Axis {
  double low = 0, high = 1;
  bool log_scale = false;
  std::vector<double> ticks;

  // Place of a value, 0 at `low` and 1 at `high`; NaN for what the axis cannot show.
  double place(double value) const;
  std::string label(double tick) const;
};

// An axis over all of [low, high], ends on ticks, about `count` intervals in steps of 1, 2 or 5 times a power of ten.
// A single value gets room around it. A logarithmic axis needs low > 0 and has its ticks at 1, 2, 5 or at powers of ten.
Axis value_axis(double low, double high, int count, bool log_scale);

// An axis over the whole numbers 1 to n, ticks at whole numbers only.
Axis count_axis(int64_t n, int count);

}  // namespace tapetum::viz
