// Every step of every ladder gives the right result, and is what a ladder's step is to be.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "ladders/problem.h"

namespace tapetum::ladders {

TEST_CASE("ladders: every step gives the reference's result", "[emulated]") {
  for (const Ladder* ladder : all_ladders())
    for (const Sizes& sizes : ladder->tested) {
      Problem problem(*ladder, sizes);
      for (const Step* step : steps_of(*ladder)) CHECK(problem.check(*step) == "");
    }
}

TEST_CASE("ladders: a step is one short file that begins with its idea") {
  for (const Ladder* ladder : all_ladders()) {
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

TEST_CASE("ladders: a wrong result is found", "[emulated]") {
  const Ladder& ladder = *find_ladder("transpose");
  const Step& right = *steps_of(ladder)[0];
  static const Step nothing("none/1_nothing.cu", [](const Arrays&) { return true; });
  static const Step fails("none/2_fails.cu", [](const Arrays&) { return false; });
  static const Step copies("none/3_copies.cu", [&](Arrays a) {
    a.sizes = {1, a.sizes[0] * a.sizes[1]};  // a transpose of one row is a copy
    return right.run(a);
  });
  static const Step behind("none/4_behind.cu", [&](Arrays a) {
    const bool ok = right.run(a);
    a.y += a.sizes[0] * a.sizes[1];
    a.sizes = {1, 1};
    return right.run(a) && ok;
  });
  Problem problem(ladder, {2, 3});
  CHECK_THAT(problem.check(nothing), Catch::StartsWith("ladders/none/1_nothing.cu at 2x3: y[0] is"));
  CHECK_THAT(problem.check(fails), Catch::Contains("ladders/none/2_fails.cu has not launched"));
  CHECK_THAT(problem.check(copies), Catch::StartsWith("ladders/none/3_copies.cu at 2x3: y[1] is"));
  CHECK_THAT(problem.check(behind), Catch::EndsWith("it writes behind y"));
  CHECK(problem.check(right) == "");
}

}  // namespace tapetum::ladders
