#include <catch2/catch.hpp>

#include <cmath>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/view.h"
#include "core/serialization/safetensors.h"
#include "tests/fixtures.h"
#include "train/classification_metrics.h"

namespace tapetum::train {
namespace {

Tensor labels(std::initializer_list<double> values) { return tensor(values, {static_cast<int64_t>(values.size())}, DType::i64); }

void require_scores(const PrecisionRecall& got, const double* expected) {
  CHECK(got.precision == Approx(expected[0]).margin(1e-15).epsilon(1e-13));
  CHECK(got.recall == Approx(expected[1]).margin(1e-15).epsilon(1e-13));
  CHECK(got.f1 == Approx(expected[2]).margin(1e-15).epsilon(1e-13));
}

}  // namespace

TEST_CASE("classification_metrics: every figure is scikit-learn's, whatever the batches", "[parity]") {
  const Safetensors file = load(test::fixture("metrics.safetensors"));
  for (const std::string name : {"binary", "many", "gaps"})
    for (const int64_t batch : {1000, 64, 1}) {
      INFO(name << ", batches of " << batch);
      const Tensor logits = file.at(name + ".logits"), truth = file.at(name + ".labels");
      const int64_t classes = logits.size(1);
      ClassificationMetrics m(classes, {.top_k = 2}), coarse(classes, {.bins = 4});
      for (const auto& rows : split(logits, batch)) m.update(rows, slice(truth, 0, m.result().samples, m.result().samples + rows.size(0)));
      coarse.update(logits, truth);
      const ClassificationResult r = m.result();
      for (int64_t c = 0; c < classes; ++c) {
        require_scores(r.classes[static_cast<size_t>(c)], file.at(name + ".scores").data<double>() + 3 * c);
        for (int64_t p = 0; p < classes; ++p)
          CHECK(static_cast<double>(m.confusion().count(c, p)) == file.at(name + ".confusion").data<double>()[c * classes + p]);
      }
      require_scores(r.macro, file.at(name + ".macro").data<double>());
      require_scores(r.micro, file.at(name + ".micro").data<double>());
      require_scores(r.weighted, file.at(name + ".weighted").data<double>());
      const double* scalars = file.at(name + ".scalars").data<double>();
      CHECK(r.accuracy == Approx(scalars[0]).epsilon(1e-14));
      CHECK(r.top_k_accuracy == Approx(scalars[1]).epsilon(1e-14));
      CHECK(r.roc_auc == Approx(scalars[2]).epsilon(1e-13));
      CHECK(r.calibration_error == Approx(scalars[3]).epsilon(1e-12));
      CHECK(coarse.result().calibration_error == Approx(scalars[4]).epsilon(1e-12));
    }
}

TEST_CASE("roc_auc: ties count one half, as scikit-learn has it", "[parity]") {
  const Safetensors file = load(test::fixture("metrics.safetensors"));
  const Tensor s = file.at("ranks.scores"), p = file.at("ranks.positive");
  std::vector<bool> positive;
  for (int64_t v : p.span<int64_t>()) positive.push_back(v == 1);
  CHECK(roc_auc({s.span<double>().begin(), s.span<double>().end()}, positive) == Approx(file.at("ranks.auc").item()).epsilon(1e-14));
  CHECK(roc_auc({1, 1, 1, 1}, {true, false, true, false}) == 0.5);
  CHECK(roc_auc({0.1, 0.9}, {true, false}) == 0);
  CHECK(roc_auc({-HUGE_VAL, HUGE_VAL}, {false, true}) == 1);
}

TEST_CASE("roc_auc: one class alone, nothing and NaN") {
  CHECK(std::isnan(roc_auc({}, {})));
  CHECK(std::isnan(roc_auc({1, 2}, {true, true})));
  CHECK(std::isnan(roc_auc({1, 2}, {false, false})));
  CHECK_THROWS_WITH(roc_auc({1, NAN}, {true, false}), "roc_auc: scores must not be NaN, got nan at [1]");
  CHECK_THROWS_AS(roc_auc({1}, {}), ShapeError);
}

TEST_CASE("classification_metrics: no sample gives NaN, one sample and one class give numbers") {
  const ClassificationResult none = ClassificationMetrics(3).result();
  for (double v :
       {none.accuracy, none.top_k_accuracy, none.macro.f1, none.micro.recall, none.weighted.precision, none.roc_auc, none.calibration_error})
    CHECK(std::isnan(v));
  CHECK(none.classes[0].precision == 0);
  ClassificationMetrics m(3);
  m.update(zeros({0, 3}), labels({}));
  CHECK(m.result().samples == 0);
  m.update(tensor({0, 2, 0}, {1, 3}), labels({1}));
  CHECK(m.result().accuracy == 1);
  CHECK(m.result().macro.f1 == 1);  // the two other classes are in neither truth nor prediction
  CHECK(std::isnan(m.result().roc_auc));
  ClassificationMetrics one(1);
  one.update(tensor({-3, 5}, {2, 1}), labels({0, 0}));
  CHECK(one.result().accuracy == 1);
  CHECK(one.result().calibration_error == 0);
  CHECK(std::isnan(one.result().roc_auc));
}

TEST_CASE("classification_metrics: a class that is never predicted has precision 0, and counts in the mean") {
  ClassificationMetrics m(2);
  m.update(tensor({1, 0, 1, 0}, {2, 2}), labels({0, 1}));
  const ClassificationResult r = m.result();
  CHECK(r.classes[1].precision == 0);
  CHECK(r.classes[1].f1 == 0);
  CHECK(r.macro.precision == 0.25);
  CHECK(r.micro.precision == 0.5);
}

TEST_CASE("classification_metrics: of equal logits the first class is predicted, and stands first in the top k") {
  ClassificationMetrics m(4, {.top_k = 2});
  m.update(zeros({4, 4}), labels({0, 1, 2, 3}));
  CHECK(m.result().accuracy == 0.25);
  CHECK(m.result().top_k_accuracy == 0.5);
  CHECK(m.result().roc_auc == 0.5);
  ClassificationMetrics wide(4, {.top_k = 9});
  wide.update(zeros({4, 4}), labels({0, 1, 2, 3}));
  CHECK(wide.result().top_k_accuracy == 1);
}

TEST_CASE("classification_metrics: large logits do not overflow, and any floating type and strides are taken") {
  ClassificationMetrics m(2);
  m.update(tensor({1e300, -1e300, -HUGE_VAL, 0}, {2, 2}, DType::f64), labels({0, 1}));
  CHECK(m.result().calibration_error == 0);
  CHECK(m.result().roc_auc == 1);
  for (DType dtype : {DType::f16, DType::bf16, DType::f32}) m.update(transpose(to(tensor({1, 0, 0, 1}, {2, 2}), dtype), 0, 1), labels({0, 1}));
  CHECK(m.result().accuracy == 1);
}

TEST_CASE("classification_metrics: ignored samples count nowhere") {
  ClassificationMetrics m(2, {.ignore_index = 7});
  m.update(tensor({1, 0, 1, 0, 0, 1}, {3, 2}), labels({0, 7, 1}));
  CHECK(m.result().samples == 2);
  CHECK(m.result().accuracy == 1);
  CHECK(m.result().roc_auc == 1);
}

TEST_CASE("classification_metrics: what cannot be judged is named, and nothing of its batch is counted") {
  ClassificationMetrics m(2);
  CHECK_THROWS_WITH(m.update(tensor({0, 1, NAN, 0}, {2, 2}), labels({0, 1})), "classification_metrics: logits must be numbers, got nan at [1, 0]");
  CHECK_THROWS_WITH(m.update(tensor({0, HUGE_VAL}, {1, 2}), labels({0})), Catch::Contains("got inf at [0, 1]"));
  CHECK_THROWS_WITH(m.update(full({1, 2}, -HUGE_VAL), labels({0})), Catch::Contains("-inf alone at [0]"));
  CHECK_THROWS_WITH(m.update(zeros({2, 2}), labels({0, 2})), "classification_metrics: labels must be in [0, 2), got 2 at [1]");
  CHECK_THROWS_WITH(m.update(zeros({2, 3}), labels({0, 1})), "classification_metrics: logits must be [N, 2] and labels [N], got [2, 3] and [2]");
  CHECK_THROWS_AS(m.update(zeros({2, 2}), labels({0})), ShapeError);
  CHECK_THROWS_AS(m.update(zeros({2, 2}), zeros({2})), DTypeError);
  CHECK_THROWS_AS(m.update(zeros({2, 2}, DType::i64), labels({0, 1})), DTypeError);
  CHECK(m.result().samples == 0);
  CHECK(m.confusion().count(0, 0) == 0);
  CHECK_THROWS_AS(ClassificationMetrics(0), ShapeError);
  CHECK_THROWS_AS(ClassificationMetrics(2, {.top_k = 0}), Error);
  CHECK_THROWS_AS(ClassificationMetrics(2, {.bins = 0}), Error);
  CHECK_THROWS_AS(precision_recall(m.confusion(), 2), IndexError);
}

}  // namespace tapetum::train
