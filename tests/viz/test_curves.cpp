#include <catch2/catch.hpp>

#include "tests/viz/scene.h"
#include "viz/axis.h"
#include "viz/curves.h"

using namespace tapetum;
using namespace tapetum::viz;
using tapetum::test::same_pixels;

namespace {

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> list;
  for (double tick : axis.ticks) list.push_back(axis.label(tick));
  return list;
}

}  // namespace

TEST_CASE("axis: ticks are round and hold all values") {
  CHECK(labels(value_axis(0.07, 0.65, 5, false)) == std::vector<std::string>{"0.0", "0.2", "0.4", "0.6", "0.8"});
  CHECK(labels(value_axis(0.91, 0.94, 5, false)) == std::vector<std::string>{"0.91", "0.92", "0.93", "0.94"});
  CHECK(labels(value_axis(-30, 70, 5, false)) == std::vector<std::string>{"-40", "-20", "0", "20", "40", "60", "80"});
  CHECK(labels(value_axis(0.01, 1, 5, true)) == std::vector<std::string>{"0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"});
  CHECK(labels(value_axis(1e-6, 1, 5, true)).size() <= 6);
  CHECK(labels(count_axis(10, 8)) == std::vector<std::string>{"2", "4", "6", "8", "10"});
  CHECK(labels(count_axis(3, 8)) == std::vector<std::string>{"1", "2", "3"});
  CHECK(labels(count_axis(1, 8)) == std::vector<std::string>{"1"});
}

TEST_CASE("axis: any two numbers give a usable range") {
  const double values[] = {0, 1, -1, 1e-12, 1e12, 1e300, -1e300, 1e-300, 0.1, 0.30000000000000004};
  for (bool log_scale : {false, true})
    for (double a : values)
      for (double b : values) {
        const double low = std::min(a, b), high = std::max(a, b);
        if (log_scale && low <= 0) continue;
        const Axis axis = value_axis(low, high, 5, log_scale);
        INFO(low << " " << high);
        CHECK(axis.low < axis.high);
        CHECK(axis.place(low) >= -1e-9);
        CHECK(axis.place(high) <= 1 + 1e-9);
        CHECK(axis.ticks.size() >= 1);
        CHECK(axis.ticks.size() < 20);
      }
}

TEST_CASE("curves: gaps, single points, constants and nothing at all are drawn") {
  const double nan = NAN;
  const std::vector<std::vector<double>> series = {{},         {0.5},        {nan}, {nan, nan, 1}, {1, nan, 1}, {2, 2, 2}, {INFINITY, 1, -INFINITY},
                                                   {0, -1, 3}, {1e-30, 1e30}};
  for (const auto& values : series)
    for (bool log_scale : {false, true}) {
      const std::vector<Chart> charts{{.title = "t", .series = {{"a", values}, {"b", {1, 2}}}, .log_scale = log_scale},
                                      {.title = "u", .series = {{"a", values}}, .mark_highest = true, .log_scale = log_scale}};
      CHECK(test::border_is_empty(draw_charts(charts), 2));
      CHECK(same_pixels(draw_charts(charts), draw_charts(charts)));
    }
  CHECK(draw_charts({}).size(2) == 3);
  CHECK(draw_charts({{.title = "no series", .mark_highest = true}}).size(2) == 3);
}

TEST_CASE("curves: many long names and tiny charts stay inside") {
  Chart chart{.title = std::string(200, 'T')};
  for (int i = 0; i < 20; ++i) chart.series.push_back({std::string(50, 'n'), {1, 2.0 + i * 0.001}, class_color(i)});
  CHECK(test::border_is_empty(draw_charts({chart}), 2));
  draw_charts({chart}, {.width = 1, .height = 1});
  draw_charts({chart}, {.width = 150, .height = 120, .scale = 0.3});
}
