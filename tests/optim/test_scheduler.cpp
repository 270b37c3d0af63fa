#include <catch2/catch.hpp>

#include "tapetum.h"

namespace tapetum {
namespace {

optim::SGD optimizer_at(double lr) { return optim::SGD({zeros({1}).set_requires_grad()}, {.lr = lr}); }

}  // namespace

TEST_CASE("scheduler: a saved schedule and optimizer go on where they stopped") {
  auto optimizer = optimizer_at(0.1), other = optimizer_at(0.3);
  const auto make = [](optim::Optimizer& o) {
    return optim::SequentialLR(o, {3}, optim::LinearLR(o, {.total_iters = 3}), optim::CosineAnnealingLR(o, 10));
  };
  auto schedule = make(optimizer);
  for (int i = 0; i < 5; ++i) schedule.step();
  auto resumed = make(other);
  other.load_state_dict(optimizer.state_dict());
  resumed.load_state_dict(schedule.state_dict());
  REQUIRE(other.lr() == optimizer.lr());
  for (int i = 0; i < 5; ++i) {
    schedule.step();
    resumed.step();
    REQUIRE(optimizer.lr() == other.lr());
  }
  REQUIRE(resumed.last_epoch() == 10);
  REQUIRE_THROWS_WITH(resumed.load_state_dict(StateDict()), Catch::Contains("last_epoch"));
}

TEST_CASE("scheduler: every group keeps its own rate") {
  optim::SGD optimizer({{{zeros({1}).set_requires_grad()}, {.lr = 1}}, {{zeros({1}).set_requires_grad()}, {.lr = 2}}});
  optim::ExponentialLR schedule(optimizer, 0.5);
  schedule.step();
  REQUIRE(schedule.last_lr() == std::vector<double>{0.5, 1});
  optim::LambdaLR split(optimizer, {[](int64_t) { return 1.0; }, [](int64_t) { return 0.0; }});
  REQUIRE(split.last_lr() == std::vector<double>{1, 0});
}

TEST_CASE("scheduler: a cycle of few steps stays between its ends") {
  for (int64_t total = 1; total <= 4; ++total)
    for (double rise : {0.0, 0.25, 0.5, 1.0})
      for (bool three_phase : {false, true}) {
        auto optimizer = optimizer_at(0.1);
        optim::OneCycleLR cycle(optimizer, {.max_lr = 1, .total_steps = total, .pct_start = rise, .three_phase = three_phase});
        for (int64_t i = 0; i < total; ++i) {
          INFO(total << " steps, " << rise << ", step " << i);
          CHECK(optimizer.lr() >= 0);
          CHECK(optimizer.lr() <= 1);
          cycle.step();
        }
      }
}

TEST_CASE("scheduler: impossible options are refused by name") {
  auto optimizer = optimizer_at(0.1);
  REQUIRE_THROWS_WITH(optim::StepLR(optimizer, 0), Catch::Contains("StepLR: step_size must be positive, got 0"));
  REQUIRE_THROWS_WITH(optim::OneCycleLR(optimizer, {.max_lr = -1, .total_steps = 3}), Catch::Contains("max_lr"));
  optim::OneCycleLR own(optimizer, {.total_steps = 20});
  REQUIRE(own.last_lr()[0] == Approx(optimizer.initial_lr(0) / 25));
  REQUIRE_THROWS_WITH(optim::SequentialLR(optimizer, {3, 2}, optim::LinearLR(optimizer)), Catch::Contains("milestone"));
  REQUIRE_THROWS_WITH(optim::LambdaLR(optimizer, std::vector<optim::LambdaLR::Factor>{}), Catch::Contains("0 functions for 1 groups"));
  REQUIRE_THROWS_AS(optim::ReduceLROnPlateau(optimizer, {.factor = 1}), Error);
  optim::OneCycleLR cycle(optimizer, {.max_lr = 1, .total_steps = 2});
  cycle.step();
  cycle.step();
  REQUIRE_THROWS_WITH(cycle.step(), Catch::Contains("step 3 of 2"));
}

}  // namespace tapetum
