// Each step's claim, for c of 256 x 256 and a depth of 128.
#include "tests/ladders/counts/counts.h"

namespace tapetum::test {
namespace {

constexpr uint64_t kSize = 256, kDepth = 128, kProducts = kSize * kSize * kDepth, kWarps = kSize * kSize / 32;
constexpr uint64_t kSector = 32, kOut = kSize * kSize * 4;
constexpr uint64_t operands(uint64_t tile) { return 2 * kProducts / tile * 4; }  // bytes of a and b, each read 256 / tile times

}  // namespace

TEST_CASE("ladder gemm: what each step claims is counted") {
  const auto step = counts_of("gemm");
  REQUIRE(step.size() == 10);
  for (size_t i = 1; i <= 9; ++i) {
    CAPTURE(i);
    CHECK(step[i].launches() == 1);
    CHECK(step[i].active_lanes() == 32);
  }
  // 1: 32 sectors of a and one of b for each of a warp's products. 2: one and four.
  CHECK(step[1].loaded() == kWarps * kDepth * (32 + 1) * kSector);
  CHECK(step[1].stored() == 8 * kOut);
  CHECK(step[2].loaded() == kWarps * kDepth * (1 + 4) * kSector);
  CHECK(step[2].global().requests == step[1].global().requests);
  // From 2 on c is written in whole sectors, once.
  for (size_t i = 2; i <= 8; ++i) CHECK(step[i].stored() == kOut);
  // 3: each number is read once for 32 threads. 4: for a tile of 64. From 5 on: of 128.
  CHECK(step[3].loaded() == operands(32));
  CHECK(step[4].loaded() == operands(64));
  for (size_t i = 5; i <= 8; ++i) CHECK(step[i].loaded() == operands(128));
  // Shared loads for 64 products of a warp's lanes: 128, then 72, then 16.
  const auto shared_loads = [](const ladders::Counts& c) { return c.total(Kind::shared_load).requests; };
  CHECK(shared_loads(step[3]) == kProducts / 32 * 128 / 64);
  CHECK(shared_loads(step[4]) == kProducts / 32 * 72 / 64);
  CHECK(shared_loads(step[5]) == kProducts / 32 * 16 / 64);
  // 6: a quarter of all requests, with the same bytes.
  CHECK(4 * shared_loads(step[6]) == shared_loads(step[5]));
  CHECK(4 * step[6].shared().requests == step[5].shared().requests);
  CHECK(4 * step[6].global().requests == step[5].global().requests);
  // 7: a tile costs one barrier instead of two, and nothing passes through registers on its way to shared memory.
  CHECK(step[6].total(Kind::barrier).requests == 2 * step[7].total(Kind::barrier).requests);
  CHECK(step[6].total(Kind::global_load).requests == step[7].total(Kind::cp_async).requests);
  CHECK(step[7].total(Kind::global_load).requests == 0);
  CHECK(step[7].total(Kind::shared_store).requests == 0);
  CHECK(shared_loads(step[7]) == shared_loads(step[6]));
  // 8: three products of 16 x 8 x 8 numbers by tensor cores. For 8 steps of its 32 x 64 elements a warp loads two fragments of a and eight of b.
  CHECK(step[8].total(Kind::mma).requests == 3 * kProducts / (16 * 8 * 8));
  CHECK(step[8].total(Kind::mma).flops == 3 * 2 * kProducts);
  CHECK(step[8].total(Kind::ldmatrix).requests == 2 * kProducts / (32 * 64 * 8));
  CHECK(shared_loads(step[8]) == 8 * 2 * kProducts / (32 * 64 * 8));
  for (size_t i = 1; i <= 9; ++i) {
    CAPTURE(i);
    CHECK(conflicts(step[i]) == 0);
  }
  // 9: at this size a tile of 64, of which there are more: two loads of 16 bytes for 16 products, and whole sectors of c.
  CHECK(step[9].loaded() == operands(64));
  CHECK(step[9].stored() == kOut);
  CHECK(shared_loads(step[9]) == kProducts / 32 * 2 / 16);
}

}  // namespace tapetum::test
