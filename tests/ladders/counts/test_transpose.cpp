// Each step's claim, for 512 x 512 floats: 8192 warps' worth of elements, 1 MiB to read and 1 MiB to write.
#include "tests/ladders/counts/counts.h"

namespace tapetum::test {
namespace {

constexpr uint64_t kWarps = 512 * 512 / 32, kBytes = 512 * 512 * 4;

}  // namespace

TEST_CASE("ladder transpose: what each step claims is counted") {
  const auto step = counts_of("transpose");
  REQUIRE(step.size() == 8);
  for (size_t i = 1; i < step.size(); ++i) {
    CAPTURE(i);
    CHECK(step[i].launches() == 1);
    CHECK(step[i].active_lanes() == 32);
  }
  // 1: whole sectors are read; of each that is written 4 of 32 bytes are used. 2: the other way around.
  CHECK(step[1].loaded() == kBytes);
  CHECK(step[1].stored() == 8 * kBytes);
  CHECK(step[2].loaded() == 8 * kBytes);
  CHECK(step[2].stored() == kBytes);
  // 3: the tile makes both sides whole. Its columns lie in one bank: 31 wavefronts too many for each of a warp's loads.
  for (size_t i = 3; i <= 6; ++i) {
    CAPTURE(i);
    CHECK(step[i].loaded() == kBytes);
    CHECK(step[i].stored() == kBytes);
    CHECK(step[i].shared().requests == 2 * kWarps);
  }
  CHECK(conflicts(step[3]) == 31 * kWarps);
  // 4: none is left.
  for (size_t i = 4; i <= 6; ++i) CHECK(conflicts(step[i]) == 0);
  // 5: a warp waits once for four rows instead of one.
  CHECK(step[4].total(Kind::barrier).requests == kWarps);
  CHECK(step[5].total(Kind::barrier).requests == kWarps / 4);
  CHECK(step[5].global().requests == 2 * kWarps);
  // 6: 16 bytes a lane.
  CHECK(step[6].global().requests == 2 * kWarps / 4);
  CHECK(step[6].total(Kind::barrier).requests == kWarps / 4);
  // 7: the library's copy is as step 5.
  CHECK(step[7].loaded() == step[5].loaded());
  CHECK(step[7].stored() == step[5].stored());
  CHECK(step[7].global().requests == step[5].global().requests);
  CHECK(step[7].total(Kind::barrier).requests == step[5].total(Kind::barrier).requests);
  CHECK(conflicts(step[7]) == 0);
}

}  // namespace tapetum::test
