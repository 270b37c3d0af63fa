#include <catch2/catch.hpp>

#include <cmath>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "nn/linear.h"
#include "train/early_stopping.h"

namespace tapetum::train {
namespace {

std::vector<double> weights(nn::Module& m) {
  std::vector<double> all;
  for (const Tensor& p : m.parameters())
    for (float v : contiguous(p.detach()).span<float>()) all.push_back(v);
  return all;
}

// How many values are taken before it stops.
int64_t length(EarlyStoppingOptions options, std::vector<double> values) {
  EarlyStopping stopping(options);
  for (double v : values) {
    if (stopping.should_stop()) break;
    stopping.update(v);
  }
  return stopping.epochs();
}

}  // namespace

TEST_CASE("early_stopping: stops after `patience` values that are not better") {
  CHECK(length({.patience = 2}, {3, 2, 2, 2.5, 1}) == 4);
  CHECK(length({.patience = 2}, {3, 2, 2, 1, 1, 1, 0}) == 6);
  CHECK(length({.patience = 2, .goal = Goal::max}, {1, 2, 3, 3, 3, 9}) == 5);
  CHECK(length({.patience = 1}, {1, 1, 1}) == 2);
  CHECK(length({.patience = 0}, {1, 2, 3, 4}) == 4);
  CHECK(length({}, {}) == 0);
}

TEST_CASE("early_stopping: a metric's name says which values are better") {
  CHECK(goal_of("val_loss") == Goal::min);
  CHECK(goal_of("top1_error") == Goal::min);
  CHECK(goal_of("accuracy") == Goal::max);
  CHECK(goal_of("") == Goal::max);
}

TEST_CASE("early_stopping: a gain of min_delta is not yet one") {
  CHECK(length({.patience = 2, .min_delta = 0.5}, {2, 1.5, 1, 0.9, 0}) == 5);  // 1.5 is not better than 2, 1 is
  CHECK(length({.patience = 2, .min_delta = 0.5}, {2, 1.75, 1.5, 0}) == 3);
  CHECK(length({.patience = 2, .min_delta = 0.5, .goal = Goal::max}, {0, 0.5, 0.5, 2}) == 3);
}

TEST_CASE("early_stopping: NaN is never the best, infinities are numbers") {
  EarlyStopping stopping({.patience = 3});
  CHECK_FALSE(stopping.update(NAN));
  CHECK(stopping.best_epoch() == 0);
  CHECK(std::isnan(stopping.best()));
  CHECK(stopping.update(HUGE_VAL));
  CHECK(stopping.update(1));
  CHECK_FALSE(stopping.update(NAN));
  CHECK_FALSE(stopping.update(HUGE_VAL));
  CHECK(stopping.best() == 1);
  CHECK(stopping.best_epoch() == 3);
  CHECK_FALSE(stopping.should_stop());
  stopping.update(NAN);
  CHECK(stopping.should_stop());
  CHECK(length({.patience = 2}, {NAN, NAN, NAN}) == 2);
}

TEST_CASE("early_stopping: restores the best weights, which training on does not change") {
  nn::Linear model(3, 2);
  EarlyStopping stopping({.patience = 5});
  const std::vector<double> first = weights(model);
  CHECK(stopping.update(1.0, model));
  NoGrad no_grad;
  for (Tensor p : model.parameters()) p.fill_(7);
  CHECK_FALSE(stopping.update(2.0, model));
  stopping.restore(model);
  CHECK(weights(model) == first);
  for (Tensor p : model.parameters()) p.fill_(8);  // what was restored is a copy, too
  stopping.restore(model);
  CHECK(weights(model) == first);
}

TEST_CASE("early_stopping: what was never kept cannot be restored") {
  nn::Linear model(3, 2);
  EarlyStopping stopping;
  CHECK_THROWS_WITH(stopping.restore(model), Catch::StartsWith("early_stopping: restore: no weights were kept"));
  stopping.update(NAN, model);
  CHECK_THROWS_AS(stopping.restore(model), Error);
  stopping.update(1);
  CHECK_THROWS_AS(stopping.restore(model), Error);
  CHECK_THROWS_AS(EarlyStopping({.patience = -1}), Error);
  CHECK_THROWS_AS(EarlyStopping({.min_delta = -1}), Error);
  CHECK_THROWS_AS(EarlyStopping({.min_delta = NAN}), Error);
}

TEST_CASE("early_stopping: its state goes on where it was, with the weights") {
  nn::Linear model(3, 2), other(3, 2);
  EarlyStopping stopping({.patience = 2}), later({.patience = 2}), fresh;
  stopping.update(1, model);
  stopping.update(2, model);
  later.load_state_dict(deep_copy(stopping.state_dict()));
  CHECK(later.best() == 1);
  CHECK(later.epochs() == 2);
  later.restore(other);
  CHECK(weights(other) == weights(model));
  later.update(3);
  CHECK(later.should_stop());
  fresh.load_state_dict(EarlyStopping().state_dict());
  CHECK(fresh.epochs() == 0);
  CHECK_THROWS_AS(fresh.load_state_dict({}), Error);
}

}  // namespace tapetum::train
