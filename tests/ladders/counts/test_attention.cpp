// Each step's claim, for one head of 256 queries, keys and values of 64 floats.
#include "tests/ladders/counts/counts.h"

namespace tapetum::test {
namespace {

constexpr uint64_t kN = 256, kWidth = 64, kSector = 32;
constexpr uint64_t kRows = kN * kWidth * 4, kScores = kN * kN * 4;  // bytes of q, k, v or o, and of the scores
constexpr uint64_t kProducts = kN * kN * kWidth / 32;               // multiply-adds of a warp, for the scores and again for o

uint64_t loads(const ladders::Counts& c) { return c.total(Kind::shared_load).requests; }

}  // namespace

TEST_CASE("ladder attention: what each step claims is counted") {
  const auto step = counts_of("attention");
  REQUIRE(step.size() == 9);
  for (size_t i = 1; i < step.size(); ++i) {
    CAPTURE(i);
    CHECK(step[i].launches() == (i <= 2 ? 3 : 1));
    CHECK(conflicts(step[i]) == 0);
    CHECK(step[i].active_lanes() > 31.9);
  }
  // 1: 33 sectors for each multiply-add of the scores, 5 for each of o, and the softmax reads three times. 2: every row once a tile of 32, and
  // the scores four times in all.
  CHECK(step[1].loaded() == (33 + 5) * kSector * kProducts + 3 * kScores);
  CHECK(step[1].stored() == 2 * kScores + kRows);
  CHECK(step[2].loaded() == 3 * (kN / 32) * kRows + 4 * kScores);
  CHECK(step[2].stored() == 2 * kScores + kRows);
  // 3: no scores, and q once. 4: k and v once for 64 queries.
  CHECK(step[3].loaded() == (1 + 2 * (kN / 32)) * kRows);
  for (size_t i = 4; i <= 7; ++i) {
    CAPTURE(i);
    CHECK(step[i].loaded() == (1 + 2 * (kN / 64)) * kRows);
  }
  for (size_t i = 3; i <= 7; ++i) CHECK(step[i].stored() == kRows);
  // 3: five loads for four multiply-adds of the scores, six for eight of o. 4: eight for 16, twelve for 32. 5: four floats at once.
  CHECK(loads(step[3]) == kProducts * 5 / 4 + kProducts * 6 / 8);
  CHECK(loads(step[4]) == kProducts * 8 / 16 + kProducts * 12 / 32);
  CHECK(loads(step[5]) == loads(step[4]) / 4);
  CHECK(step[5].global().requests == step[4].global().requests / 4);
  // 6: nothing goes through registers on its way to shared memory, and one barrier of two is left.
  CHECK(step[5].total(Kind::barrier).requests == 2 * (kN / 32) * (kN / 64) * 4);
  CHECK(step[6].total(Kind::barrier).requests == step[5].total(Kind::barrier).requests / 2);
  CHECK(step[6].total(Kind::global_load).requests == 0);
  CHECK(step[6].total(Kind::cp_async).requests == step[5].total(Kind::global_load).requests);
  // 7: three instructions of 16 x 8 x 8 multiply-adds. Weights are not stored; a seventh of the passes over shared memory.
  CHECK(step[7].total(Kind::mma).requests == 3 * 2 * kProducts * 32 / (16 * 8 * 8));
  CHECK(step[7].total(Kind::shared_store).requests == 0);
  CHECK(step[6].total(Kind::shared_load).wavefronts == 7 * step[7].total(Kind::shared_load).wavefronts);
  // 8: as step 5; and the logarithm of each sum is left, for a gradient, four of them at once.
  CHECK(step[8].loaded() == step[5].loaded());
  CHECK(step[8].stored() == kRows + kN / 4 * kSector);
  CHECK(step[8].shared().requests == step[5].shared().requests);
}

}  // namespace tapetum::test
