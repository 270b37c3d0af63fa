// Each step's claim, for 2048 boxes: rows of 32 words in the mask.
#include "tests/ladders/counts/counts.h"

namespace tapetum::test {
namespace {

constexpr uint64_t kN = 2048, kWords = kN / 64, kBox = 16, kWord = 8, kSector = 32;
constexpr uint64_t kTriangle = kWords * (kWords + 1) / 2;                    // tiles of 64 x 64 pairs from the diagonal on
constexpr uint64_t kWideTriangle = 4 * (kWords / 4) * (kWords / 4 + 1) / 2;  // of 64 x 256

uint64_t requests(const ladders::profile::Kernel& k, Kind kind) { return k.total(kind).requests; }

}  // namespace

TEST_CASE("ladder nms: what each step claims is counted") {
  const auto step = counts_of("nms");
  REQUIRE(step.size() == 10);
  for (size_t i = 1; i < step.size(); ++i) {
    CAPTURE(i);
    CHECK(step[i].launches() == (i <= 2 ? 1 : i <= 8 ? 2 : 4));
    CHECK(conflicts(step[i]) == 0);
  }
  // 1: one lane. 2: 32 warps, which wait once for each box that stays.
  CHECK(step[1].active_lanes() == 1);
  CHECK(step[2].active_lanes() > 31);
  const uint64_t barriers = step[2].total(Kind::barrier).requests, kept = barriers / 32 - 1;
  CHECK(barriers % 32 == 0);
  CHECK(kept > kN / 10);
  CHECK(kept < kN / 2);
  CHECK(step[2].total(Kind::global_load).requests < step[1].total(Kind::global_load).requests / 4);
  // 3: for each word a box of its own, and 64 that all lanes share. 4: 64 for 64 threads. 5: from the diagonal on.
  const auto mask = [&](size_t i) -> auto& { return step[i].kernels[0]; };
  CHECK(mask(3).loaded() == kN / 32 * kWords * (32 * kBox + 64 * kSector));
  CHECK(requests(mask(3), Kind::global_load) == kN / 32 * kWords * 65);
  CHECK(mask(4).loaded() == kWords * kWords * 2 * 64 * kBox);
  CHECK(requests(mask(4), Kind::global_load) == kN / 32 * kWords * 2);
  CHECK(mask(5).loaded() == kTriangle * 2 * 64 * kBox);
  // Until then a word has a sector for itself. 6: it shares one with three, and a row's box is read for 256 others.
  CHECK(mask(4).stored() == kN * kWords * kSector);
  CHECK(mask(5).stored() == kTriangle * 64 * kSector);
  CHECK(mask(6).stored() == kWideTriangle * 256 * kWord);
  CHECK(mask(6).loaded() == kWideTriangle * (64 + 256) * kBox);
  // 3 to 6: one lane goes through all words of all boxes that stay. 7: 32 lanes do, a load for this word and one for those behind it.
  const auto reduce = [&](size_t i) -> auto& { return step[i].kernels[1]; };
  for (size_t i = 4; i <= 6; ++i) CHECK(requests(reduce(i), Kind::global_load) == requests(reduce(3), Kind::global_load));
  CHECK(requests(reduce(3), Kind::global_load) > kept * kWords);
  CHECK(requests(reduce(7), Kind::global_load) <= 2 * kept);
  CHECK(requests(reduce(7), Kind::barrier) == 0);
  // 8: this word of 64 boxes at once, by two warps, and one load of later words for each that stays; two barriers of eight warps.
  CHECK(requests(reduce(8), Kind::global_load) <= 2 * kWords + kept);
  CHECK(requests(reduce(8), Kind::global_store) == kN / 32);
  CHECK(requests(reduce(8), Kind::barrier) == 2 * 8 * kWords);
  // 9: masks as in step 6, of boxes that come with their places.
  for (const auto& kernel : step[9].kernels) {
    if (kernel.name.find("nms_mask") == kernel.name.npos) continue;
    CHECK(kernel.loaded() == kWideTriangle * (64 + 256) * (kBox + sizeof(int64_t)));
    CHECK(kernel.stored() <= mask(6).stored());
  }
}

}  // namespace tapetum::test
