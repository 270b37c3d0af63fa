// Each step's claim, for 256 rows of 1024 floats: 8192 warps' worth of elements, 1 MiB to read and 1 MiB to write.
#include "tests/ladders/counts/counts.h"

namespace tapetum::test {
namespace {

constexpr uint64_t kRows = 256, kWarps = kRows * 1024 / 32, kBytes = kRows * 1024 * 4;
constexpr uint64_t kBlockWarps = kRows * 8;  // of all blocks, where a block of 256 threads has a row

}  // namespace

TEST_CASE("ladder softmax: what each step claims is counted") {
  const auto step = counts_of("softmax");
  REQUIRE(step.size() == 9);
  for (size_t i = 1; i < step.size(); ++i) {
    CAPTURE(i);
    CHECK(step[i].launches() == 1);
    CHECK(conflicts(step[i]) == 0);
  }
  // 1: three reads and a write, at 32 sectors for each request. 2: at four.
  CHECK(step[1].loaded() == 8 * 3 * kBytes);
  CHECK(step[1].stored() == 8 * kBytes);
  for (size_t i = 2; i <= 4; ++i) {
    CAPTURE(i);
    CHECK(step[i].loaded() == 3 * kBytes);
    CHECK(step[i].stored() == kBytes);
    CHECK(step[i].global().requests == 4 * kWarps);
  }
  // 2: two trees of ten barriers. 3: of two, and the lanes combine by five shuffles in each warp and three more.
  CHECK(step[2].total(Kind::barrier).requests == 2 * 10 * kBlockWarps);
  CHECK(step[3].total(Kind::barrier).requests == 2 * 2 * kBlockWarps);
  CHECK(step[3].total(Kind::shuffle).requests == 2 * (5 + 3) * kBlockWarps);
  CHECK(step[3].shared().requests < step[2].shared().requests / 3);
  // 4: shuffles alone, in a warp for each row.
  for (size_t i = 4; i <= 7; ++i) {
    CAPTURE(i);
    CHECK(step[i].total(Kind::barrier).requests == 0);
    CHECK(step[i].shared().requests == 0);
    CHECK(step[i].total(Kind::shuffle).requests == 2 * 5 * kRows);
    CHECK(step[i].active_lanes() == 32);
  }
  // 5: two reads. 6: one. 7: of 16 bytes a lane.
  CHECK(step[5].loaded() == 2 * kBytes);
  CHECK(step[6].loaded() == kBytes);
  CHECK(step[6].global().requests == 2 * kWarps);
  CHECK(step[7].loaded() == kBytes);
  CHECK(step[7].stored() == kBytes);
  CHECK(step[7].global().requests == 2 * kWarps / 4);
  // 8: as step 7.
  CHECK(step[8].loaded() == step[7].loaded());
  CHECK(step[8].global().requests == step[7].global().requests);
  CHECK(step[8].total(Kind::shuffle).requests == step[7].total(Kind::shuffle).requests);
  CHECK(step[8].total(Kind::barrier).requests == 0);
}

}  // namespace tapetum::test
