#include "viz/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tapetum::viz {
namespace {

// The smallest of 1, 2, 5 times a power of ten that is at least x.
double round_step(double x) {
  const double power = std::pow(10, std::floor(std::log10(x)));
  for (double factor : {1.0, 2.0, 5.0})
    if (factor * power >= x * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

Axis linear_axis(double low, double high, int count) {
  const double spread = high - low, size = std::max(std::abs(low), std::abs(high));
  if (spread <= 1e-12 * size || spread == 0) {  // one value
    const double room = size > 0 ? 0.1 * size : 0.5;
    low -= room, high += room;
  }
  const double step = round_step((high - low) / count);
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  Axis axis{first * step, last * step, false, {}};
  for (double i = first; i <= last; ++i) axis.ticks.push_back(i * step);
  return axis;
}

Axis log_axis(double low, double high, int count) {
  const double decades = std::log10(high) - std::log10(low);
  Axis axis{low, high, true, {}};
  if (decades > 2) {
    const double step = std::ceil(decades / count), first = std::floor(std::log10(low)), last = std::ceil(std::log10(high));
    for (double e = first; e <= last; e += step) axis.ticks.push_back(std::pow(10, e));
  } else {
    for (double e = std::floor(std::log10(low)); e <= std::ceil(std::log10(high)); ++e)
      for (double factor : {1.0, 2.0, 5.0}) axis.ticks.push_back(factor * std::pow(10, e));
    while (axis.ticks.size() > 2 && axis.ticks[1] <= low * (1 + 1e-9)) axis.ticks.erase(axis.ticks.begin());
    while (axis.ticks.size() > 2 && axis.ticks[axis.ticks.size() - 2] >= high * (1 - 1e-9)) axis.ticks.pop_back();
  }
  axis.low = std::min(low, axis.ticks.front());
  axis.high = std::max(high, axis.ticks.back());
  return axis;
}

}  // namespace

double Axis::place(double value) const {
  if (!std::isfinite(value) || (log_scale && value <= 0)) return NAN;
  return log_scale ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low)) : (value - low) / (high - low);
}

std::string Axis::label(double tick) const {
  const double step = !log_scale && ticks.size() > 1 ? ticks[1] - ticks[0] : 0;
  if (step < 1e-6 || std::abs(tick) >= 1e6) return fmt::format("{:g}", std::abs(tick) < step * 1e-6 ? 0 : tick);
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", std::abs(tick) < step * 1e-6 ? 0.0 : tick, decimals);
}

Axis value_axis(double low, double high, int count, bool log_scale) { return log_scale ? log_axis(low, high, count) : linear_axis(low, high, count); }

Axis count_axis(int64_t n, int count) {
  const double last = static_cast<double>(std::max<int64_t>(n, 1)), step = std::max(1.0, round_step((last - 1) / count + 1e-12));
  Axis axis{1, last, false, {}};
  if (last == 1) axis.low = 0.5, axis.high = 1.5;
  for (double tick = step; tick <= last; tick += step) axis.ticks.push_back(tick);
  return axis;
}

}  // namespace tapetum::viz
