// No step has a race, and none has a barrier that it could do without.
#include "tests/ladders/counts/counts.h"

namespace tapetum::test {

using ladders::Ladder;

TEST_CASE("ladders: no step has a race, or leaves its memory") {
  for (const Ladder* ladder : ladders::all_ladders())
    for (const ladders::Step* step : steps_of(*ladder)) {
      INFO(step->file);
      CHECK(text(find_faults(*ladder, *step)) == "");
    }
}

TEST_CASE("ladders: a step without one of its barriers has a race") {
  size_t mutants = 0;
  for (const Ladder* ladder : ladders::all_ladders()) {
    Ladder without = *ladder;
    const std::string name = std::string(ladder->name) + "_without";
    without.name = name.c_str();
    for (const ladders::Step* step : steps_of(without)) {
      INFO(step->file);
      CHECK(!find_faults(without, *step).races.empty());
      ++mutants;
    }
  }
  CHECK(mutants > 10);
}

}  // namespace tapetum::test
