// What the tests of the ladders' counts share.
#pragma once
#include <catch2/catch.hpp>

#include "ladders/counts.h"

namespace tapetum::test {

using ladders::profile::Kind;

// Of each step, from the first on; at the place 0 stands nothing.
inline std::vector<ladders::Counts> counts_of(const char* name) {
  const ladders::Ladder* ladder = ladders::find_ladder(name);
  REQUIRE(ladder);
  std::vector<ladders::Counts> all(1);
  for (const ladders::Step* step : steps_of(*ladder)) all.push_back(count(*ladder, *step));
  return all;
}

inline uint64_t conflicts(const ladders::Counts& c) { return c.shared().wavefronts - c.shared().ideal_wavefronts; }

}  // namespace tapetum::test
