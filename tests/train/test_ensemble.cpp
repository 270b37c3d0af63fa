#include <catch2/catch.hpp>

#include <cmath>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"
#include "models/simple_cnn.h"
#include "train/classification_metrics.h"
#include "train/ensemble.h"

namespace tapetum::train {
namespace {

// Gives the same logits for every image, and says in which mode it ran.
struct Opinion : nn::Layer {
  Opinion(std::initializer_list<double> l) : logits(tensor(l)) {}
  Tensor forward(const Tensor& x) override {
    ran_in_training |= training;
    return expand(unsqueeze(logits, 0), {x.size(0), logits.size(0)});
  }
  Tensor logits;
  bool ran_in_training = false;
};

void require_close(const Tensor& got, std::initializer_list<double> expected) {
  REQUIRE(got.numel() == static_cast<int64_t>(expected.size()));
  const Tensor dense = to(contiguous(got), DType::f64);
  size_t i = 0;
  for (double v : expected) CHECK(dense.data<double>()[i++] == Approx(v).margin(1e-6));
}

}  // namespace

TEST_CASE("ensemble: probabilities are averaged, not logits") {
  Opinion sure({100, 0, 0}), doubtful({0, std::log(3.0), -HUGE_VAL});
  const Tensor x = zeros({2, 1});
  require_close(Ensemble({&sure, &doubtful})(x), {0.625, 0.375, 0, 0.625, 0.375, 0});
  require_close(Ensemble({&sure, &doubtful}, {.weights = {1, 3}})(x), {0.4375, 0.5625, 0, 0.4375, 0.5625, 0});
  require_close(Ensemble({&doubtful})(x), {0.25, 0.75, 0, 0.25, 0.75, 0});
}

TEST_CASE("ensemble: in a vote each model has one voice, or its weight, and the first of equals wins") {
  Opinion a({0, 9, 0}), b({0, 0, 1}), c({0, 0.1, 0});
  const Tensor x = zeros({1, 1});
  require_close(Ensemble({&a, &b, &c}, {.vote = Vote::hard})(x), {0, 2.0 / 3, 1.0 / 3});
  require_close(Ensemble({&a, &b, &c}, {.vote = Vote::hard, .weights = {1, 3, 1}})(x), {0, 0.4, 0.6});
  CHECK(Ensemble({&b, &a}, {.vote = Vote::hard}).predict(x).item() == 1);
  CHECK(Ensemble({&b, &a}, {.vote = Vote::hard, .weights = {1, 0}}).predict(x).item() == 2);
}

TEST_CASE("ensemble: models run in evaluation mode, unrecorded, and keep their own modes") {
  Opinion a({1, 2}), b({2, 1});
  b.training = false;
  a.logits.set_requires_grad();
  const Tensor p = Ensemble({&a, &b})(zeros({1, 1}));
  CHECK_FALSE(p.requires_grad());
  CHECK_FALSE(a.ran_in_training);
  CHECK(a.training);
  CHECK_FALSE(b.training);
}

TEST_CASE("ensemble: classifiers of the library, judged by the metrics") {
  models::SimpleCNN a({.classes = 3}), b({.classes = 3});
  Ensemble both({&a, &b}), one({&a, &a});
  const Tensor x = zeros({2, 3, 32, 32}), p = both(x);
  CHECK(p.shape() == Shape{2, 3});
  require_close(sum(p, {1}), {1, 1});
  CHECK(amax(abs(one(x) - Ensemble({&a})(x))).item() < 1e-6);
  ClassificationMetrics metrics(3);
  metrics.update(log(p), zeros({2}, DType::i64));
  CHECK(metrics.result().samples == 2);
}

TEST_CASE("ensemble: no image, and what does not fit") {
  Opinion two({1, 2}), three({1, 2, 3});
  CHECK(Ensemble({&two})(zeros({0, 1})).shape() == Shape{0, 2});
  CHECK_THROWS_WITH(Ensemble({&two, &three})(zeros({4, 1})), "ensemble: model 1 must give logits [4, 2], got [4, 3]");
  CHECK_THROWS_WITH(Ensemble({}), "ensemble: at least one model is expected, got none");
  CHECK_THROWS_AS(Ensemble({nullptr}), Error);
  CHECK_THROWS_WITH(Ensemble({&two}, {.weights = {1, 2}}), "ensemble: 1 models need as many weights, got 2");
  CHECK_THROWS_AS(Ensemble({&two}, {.weights = {-1}}), Error);
  CHECK_THROWS_AS(Ensemble({&two}, {.weights = {NAN}}), Error);
  CHECK_THROWS_AS(Ensemble({&two}, {.weights = {0}}), Error);
  CHECK_THROWS_AS(Ensemble({&two, &two}, {.weights = {1e308, 1e308}}), Error);
}

}  // namespace tapetum::train
