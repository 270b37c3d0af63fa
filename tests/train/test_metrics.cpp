#include <catch2/catch.hpp>

#include <cmath>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "train/metrics.h"

namespace tapetum::train {
namespace {

Tensor labels(std::initializer_list<double> values) { return tensor(values, {static_cast<int64_t>(values.size())}, DType::i64); }

}  // namespace

TEST_CASE("confusion_matrix: scores of a case counted by hand", "[smoke]") {
  ConfusionMatrix m(3);
  m.add(labels({0, 0, 1, 1, 2}), labels({0, 1, 1, 1, 0}));
  REQUIRE(m.count(1, 0) == 1);
  REQUIRE(m.iou()[0] == Approx(1.0 / 3));
  REQUIRE(m.iou()[1] == Approx(2.0 / 3));
  REQUIRE(m.iou()[2] == 0);  // predicted, never true
  REQUIRE(m.dice()[0] == Approx(0.5));
  REQUIRE(m.dice()[1] == Approx(0.8));
  REQUIRE(m.miou() == Approx(1.0 / 3));
  REQUIRE(m.pixel_accuracy() == Approx(0.6));
}

TEST_CASE("confusion_matrix: a class absent from truth and prediction is left out of the mean") {
  ConfusionMatrix m(3);
  m.add(labels({0, 0, 1, 1}), labels({0, 0, 1, 0}));
  REQUIRE(std::isnan(m.iou()[2]));
  REQUIRE(std::isnan(m.dice()[2]));
  REQUIRE(m.miou() == Approx((2.0 / 3 + 1.0 / 2) / 2));
}

TEST_CASE("confusion_matrix: sums over the set, not averages over images") {
  ConfusionMatrix whole(2), parts(2);
  whole.add(labels({0, 1, 1, 0, 1, 1}), labels({0, 0, 1, 1, 1, 1}));
  parts.add(labels({0, 1}), labels({0, 0}));
  parts.add(labels({1, 0, 1, 1}), labels({1, 1, 1, 1}));
  REQUIRE(whole.iou() == parts.iou());
}

TEST_CASE("confusion_matrix: ignored, empty, strided and wrong input") {
  ConfusionMatrix m(2, 255);
  REQUIRE(std::isnan(m.miou()));
  REQUIRE(std::isnan(m.pixel_accuracy()));
  m.add(labels({}), labels({}));
  m.add(labels({1, 1}), labels({255, 1}));
  REQUIRE(m.count(1, 1) == 1);
  REQUIRE(m.pixel_accuracy() == 1);
  m.add(slice(labels({0, 1, 0, 1}), 0, 0, 4, 2), labels({0, 0}));
  REQUIRE(m.count(0, 0) == 2);
  REQUIRE_THROWS_WITH(m.add(labels({0}), labels({2})), "confusion_matrix: labels must be in [0, 2), got truth 2");
  REQUIRE_THROWS_WITH(m.add(labels({-1}), labels({1})), "confusion_matrix: labels must be in [0, 2), got prediction -1");
  REQUIRE_THROWS_AS(m.add(labels({0, 1}), labels({0})), ShapeError);
  REQUIRE_THROWS_AS(m.add(zeros({1}), labels({0})), DTypeError);
  REQUIRE_THROWS_AS(ConfusionMatrix(0), ShapeError);
}

TEST_CASE("running_mean: weighs its values") {
  RunningMean m;
  REQUIRE(std::isnan(m.mean()));
  m.add(1, 3);
  m.add(5, 1);
  REQUIRE(m.mean() == 2);
  REQUIRE(RunningMean(m.sum(), m.weight()).mean() == 2);
}

}  // namespace tapetum::train
