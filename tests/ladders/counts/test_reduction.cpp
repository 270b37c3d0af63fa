// Each step's claim, for 2^18 floats: 8192 warps and 1024 blocks of a thread for each.
#include "tests/ladders/counts/counts.h"

namespace tapetum::test {
namespace {

constexpr uint64_t kElements = 1 << 18, kWarps = kElements / 32, kBlocks = kElements / 256, kBytes = kElements * 4;
constexpr uint64_t kFewBlocks = kBlocks / 16;  // of 16 values for each thread

}  // namespace

TEST_CASE("ladder reduction: what each step claims is counted") {
  const auto step = counts_of("reduction");
  REQUIRE(step.size() == 10);
  for (size_t i = 1; i <= 7; ++i) {
    CAPTURE(i);
    CHECK(step[i].launches() == 1);
    CHECK(step[i].loaded() == kBytes);
  }
  // 1: every element in turn. 2: one for each block.
  CHECK(step[1].atomics().serial == kElements);
  for (size_t i = 2; i <= 5; ++i) CHECK(step[i].atomics().serial == kBlocks);
  // 2: all eight warps add at the first five levels, with ever fewer of their lanes, then 4, 2, 1. 3: 4, 2, 1, and then one at each level.
  CHECK(step[2].total(Kind::barrier).requests == 9 * kWarps);
  CHECK(step[3].total(Kind::barrier).requests == 9 * kWarps);
  CHECK(step[2].active_lanes() < 29);
  CHECK(step[3].active_lanes() > 31);
  const auto additions = [](const ladders::Counts& c) { return c.total(Kind::shared_store).requests - kWarps; };
  CHECK(additions(step[2]) == (5 * 8 + 4 + 2 + 1) * kBlocks);
  CHECK(additions(step[3]) == (4 + 2 + 1 + 5) * kBlocks);
  CHECK(additions(step[4]) == additions(step[3]));
  // 3: floats 2, 4, 8 and more apart. 4: neighbours.
  CHECK(conflicts(step[2]) == 0);
  CHECK(conflicts(step[3]) > 100 * kBlocks);
  CHECK(conflicts(step[4]) == 0);
  // 5: one barrier of nine, a store and a load of shared memory where there were 45 requests a block.
  CHECK(step[5].total(Kind::barrier).requests == kWarps);
  CHECK(step[5].total(Kind::shuffle).requests == (8 * 5 + 3) * kBlocks);
  CHECK(step[5].shared().requests == (8 + 1) * kBlocks);
  CHECK(step[4].shared().requests == 45 * kBlocks);
  // 6: all of that once for 4096 values. 7: and their loads of 16 bytes a lane.
  for (size_t i = 6; i <= 7; ++i) {
    CAPTURE(i);
    CHECK(step[i].atomics().serial == kFewBlocks);
    CHECK(step[i].total(Kind::barrier).requests == 8 * kFewBlocks);
  }
  CHECK(step[6].total(Kind::global_load).requests == kWarps);
  CHECK(step[7].total(Kind::global_load).requests == kWarps / 4);
  // 8: no atomics; the sums of the blocks are written and read again. 9: nor has the library any.
  CHECK(step[8].launches() == 2);
  CHECK(step[8].atomics().requests == 0);
  CHECK(step[8].loaded() == kBytes + kFewBlocks * 4);
  CHECK(step[9].launches() == 2);
  CHECK(step[9].atomics().requests == 0);
  CHECK(step[9].loaded() < 1.01 * kBytes);
}

}  // namespace tapetum::test
