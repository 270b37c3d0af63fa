#include <catch2/catch.hpp>

#include "tapetum.h"

namespace tapetum {
namespace {

const nn::SummaryRow& row(const std::vector<nn::SummaryRow>& rows, const std::string& name) {
  for (const auto& r : rows)
    if (r.name == name) return r;
  FAIL("no row " << name);
  return rows[0];
}

}  // namespace

TEST_CASE("summary: shapes, parameters and work of a U-Net") {
  models::UNet model({.in_channels = 3, .classes = 2, .width = 4, .depth = 1});
  const auto rows = nn::summarize(model, {2, 3, 10, 12});
  REQUIRE(rows[0].type == "UNet");
  REQUIRE(rows[0].output == "[2, 2, 10, 12]");
  REQUIRE(row(rows, "inc").type == "DoubleConv");
  REQUIRE(row(rows, "inc.0").output == "[2, 4, 10, 12]");
  REQUIRE(row(rows, "inc.0").parameters == 4 * 3 * 9 + 4);
  REQUIRE(row(rows, "down.0").output == "[2, 8, 5, 6]");

  const int64_t pixels = 2 * 10 * 12, below = pixels / 4;
  const int64_t inc = pixels * (3 * 4 + 4 * 4) * 9, down = below * (4 * 8 + 8 * 8) * 9, up = below * 8 * 4 * 4;
  const int64_t conv = pixels * (8 * 4 + 4 * 4) * 9, out = pixels * 4 * 2;
  REQUIRE(row(rows, "inc").macs == inc);
  REQUIRE(row(rows, "down.0").macs == down);
  REQUIRE(row(rows, "up.0").macs == up);
  REQUIRE(row(rows, "conv.0").macs == conv);
  REQUIRE(row(rows, "out").macs == out);
  REQUIRE(rows[0].macs == inc + down + up + conv + out);
  REQUIRE(model.parameters()[0].device() == Device());
  REQUIRE(model.training);
}

TEST_CASE("summary: the table is aligned and ends with the totals") {
  nn::Sequential net(nn::Flatten(), nn::Linear(1200, 10));
  const std::string table = to_string(nn::summarize(net, {1, 12, 10, 10}));
  REQUIRE(table ==
          "layer        output     parameters    MACs\n"
          "Sequential   [1, 10]        12,010  12,000\n"
          "  0 Flatten  [1, 1200]           0       0\n"
          "  1 Linear   [1, 10]        12,010  12,000\n"
          "12,010 parameters, 12,000 MACs a forward\n");
}

TEST_CASE("summary: an input that does not fit is an error, not a crash") {
  nn::Sequential net(nn::Linear(3, 2));
  REQUIRE_THROWS_AS(nn::summarize(net, {1, 4}), ShapeError);
}

}  // namespace tapetum
