// Each step's claim, for an image of 16 channels, 16 x 32 pixels, and 64 filters.
#include "tests/ladders/counts/counts.h"

namespace tapetum::test {
namespace {

constexpr uint64_t kC = 16, kK = 64, kH = 16, kW = 32, kPixels = kH * kW, kSector = 32;
constexpr uint64_t kImage = kC * kPixels * 4, kFilters = 9 * kC * kK * 4, kResult = kK * kPixels * 4;  // bytes
constexpr uint64_t kProducts = 9 * kC * kK * kPixels / 32;                                             // multiply-adds of a warp
constexpr uint64_t kLines = kC * 3 * (3 * kH - 2);  // that the taps of all rows of pixels read: 32 pixels each, some of them outside

uint64_t loads(const ladders::Counts& c) { return c.total(Kind::shared_load).requests; }

}  // namespace

TEST_CASE("ladder convolution: what each step claims is counted") {
  const auto step = counts_of("convolution");
  REQUIRE(step.size() == 9);
  for (size_t i = 1; i <= 7; ++i) {
    CAPTURE(i);
    CHECK(step[i].launches() == (i == 4 ? 2 : i == 7 ? 4 : 1));
    CHECK(step[i].active_lanes() > 31.5);
    if (i != 3) CHECK(conflicts(step[i]) == 0);
  }
  for (size_t i : {1, 2, 3, 5, 6}) CHECK(step[i].stored() == kResult);
  // 1: a line of pixels, four sectors, and a weight for each channel of the result.
  CHECK(step[1].loaded() == kK * kLines * (4 + 1) * kSector);
  CHECK(loads(step[1]) == 0);
  // 2: the image for each channel, once and a rim instead of nine times; both factors of a product come from shared memory.
  CHECK(step[2].loaded() < step[1].loaded() / 7);
  CHECK(loads(step[2]) == 2 * kProducts);
  // 3: a pixel and two requests for eight weights. The ninth tap's weights lie in the first one's banks.
  CHECK(loads(step[3]) == 3 * kProducts / 8);
  CHECK(step[3].loaded() < step[2].loaded() / 5);
  CHECK(step[3].total(Kind::barrier).requests == step[2].total(Kind::barrier).requests / 8);
  CHECK(conflicts(step[3]) == kPixels / 256 * (kK / 8) * kC * 2);
  // 4: two requests for sixteen products. The matrix is nine images, written and read, the latter once for 64 channels.
  CHECK(loads(step[4]) == 2 * kProducts / 16);
  CHECK(step[4].kernels[0].stored() == 9 * kImage);
  CHECK(step[4].kernels[1].loaded() == 9 * kImage + kPixels / 64 * kFilters);
  CHECK(step[4].kernels[1].stored() == kResult);
  // 5: the same product of what is gathered.
  CHECK(step[5].shared().requests == step[4].shared().requests);
  CHECK(step[5].loaded() == kLines * 4 * kSector + kPixels / 64 * kFilters);
  // 6: two requests for inputs and six for weights, for three taps of 32 sums. The image once and a rim, the filters once for 128 pixels.
  CHECK(loads(step[6]) == 8 * kProducts / 96);
  CHECK(step[6].loaded() < 2 * kImage + kPixels / 128 * kFilters);
  // 7: 16 products where step 5 has 36. All transforms are stored; so is each half of the result's sectors.
  CHECK(36 * loads(step[7]) == 16 * loads(step[5]));
  constexpr uint64_t kTiles = kPixels / 4;
  CHECK(step[7].stored() == 16 * 4 * (kC * kK + kTiles * (kC + kK)) + 2 * kResult);
  // 8: transforms of 6 x 6 numbers for 4 x 4 outputs, which are stored one by one.
  for (const auto& kernel : step[8].kernels)
    if (kernel.name.find("winograd_input") != kernel.name.npos) CHECK(kernel.stored() == 36 * 4 * kC * (kPixels / 16));
  CHECK(step[8].launches() == 4);
  CHECK(step[8].stored() == 36 * 4 * (kC * kK + (kC + kK) * (kPixels / 16)) + 4 * kResult);
  CHECK(conflicts(step[8]) == 0);
}

}  // namespace tapetum::test
