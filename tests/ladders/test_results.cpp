// Every step of every ladder gives the right result, and is what a ladder's step is to be.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "ladders/problem.h"

namespace tapetum::ladders {

namespace {

// Those of devices that this build has.
std::vector<const Ladder*> built() {
  std::vector<const Ladder*> some;
  for (const Ladder* ladder : all_ladders())
    if (device_of(ladder->device)) some.push_back(ladder);
  return some;
}

void check_results(DeviceKind device) {
  for (const Ladder* ladder : built())
    for (const Sizes& sizes : ladder->device == device ? ladder->tested : std::vector<Sizes>()) {
      Problem problem(*ladder, sizes);
      for (const Step* step : steps_of(*ladder)) CHECK(problem.check(*step) == "");
    }
}

}  // namespace

#if defined(TAPETUM_WITH_CUDA)
TEST_CASE("ladders: every step gives the reference's result", "[emulated]") { check_results(DeviceKind::cuda); }
#endif
TEST_CASE("ladders: every step on the CPU gives the reference's result") { check_results(DeviceKind::cpu); }

TEST_CASE("ladders: a step is one short file that begins with its idea") {
  for (const Ladder* ladder : built()) {
    const auto steps = steps_of(*ladder);
    CHECK(steps.size() >= 5);
    for (size_t i = 0; i < steps.size(); ++i) {
      INFO(steps[i]->file);
      CHECK(steps[i]->number == static_cast<int>(i) + 1);
      CHECK(source_of(*steps[i]).size() <= 100);
      const std::string idea = idea_of(*steps[i]);
      CHECK(idea.size() > 20);
      CHECK(idea.size() < 150);
      CHECK((idea.empty() || idea.back() == '.'));
    }
  }
}

TEST_CASE("ladders: a wrong result is found") {
  const Ladder& ladder = *find_ladder("cpu_gemm");
  const Step& right = *steps_of(ladder)[0];
  static const Step nothing("none/1_nothing.cpp", [](const Arrays&) { return true; });
  static const Step fails("none/2_fails.cpp", [](const Arrays&) { return false; });
  static const Step swaps("none/3_swaps.cpp", [&](const Arrays& a) {
    const bool ok = right.run(a);
    std::swap(a.y[1], a.y[2]);
    return ok;
  });
  static const Step behind("none/4_behind.cpp", [&](const Arrays& a) {
    a.y[a.sizes[0] * a.sizes[1]] = 0;
    return right.run(a);
  });
  Problem problem(ladder, {2, 3, 4});
  CHECK_THAT(problem.check(nothing), Catch::StartsWith("ladders/none/1_nothing.cpp at 2x3x4: y[0] is"));
  CHECK_THAT(problem.check(fails), Catch::Contains("ladders/none/2_fails.cpp has not run"));
  CHECK_THAT(problem.check(swaps), Catch::StartsWith("ladders/none/3_swaps.cpp at 2x3x4: y[1] is"));
  CHECK_THAT(problem.check(behind), Catch::EndsWith("it writes behind y"));
  CHECK(problem.check(right) == "");
}

}  // namespace tapetum::ladders
