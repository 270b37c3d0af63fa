#include <catch2/catch.hpp>

#include <cstring>

#include "core/error.h"
#include "data/image.h"
#include "data/synthetic_cells.h"

namespace tapetum::data {
namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && !std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype()));
}

// Otsu (1979): the gray level that parts the histogram into two classes of greatest variance between them.
int otsu_threshold(const Image& gray) {
  double count[256] = {}, total = 0, moment = 0;
  for (int64_t i = 0; i < gray.tensor().numel(); ++i) ++count[gray.row(0)[i]];
  for (int v = 0; v < 256; ++v) total += count[v], moment += v * count[v];
  double below = 0, moment_below = 0, best = -1;
  int threshold = 0;
  for (int v = 0; v < 255; ++v) {
    below += count[v];
    moment_below += v * count[v];
    if (below == 0 || below == total) continue;
    const double gap = moment_below / below - (moment - moment_below) / (total - below), variance = below * (total - below) * gap * gap;
    if (variance > best) best = variance, threshold = v;
  }
  return threshold;
}

struct Confusion {
  double at[2][2] = {};  // [truth][prediction]
  double mean_iou() const {
    const double wrong = at[0][1] + at[1][0];
    return (at[0][0] / (at[0][0] + wrong) + at[1][1] / (at[1][1] + wrong)) / 2;
  }
};

Confusion compare(const Image& gray, int threshold, bool bright_is_cell, const Tensor& mask) {
  Confusion c;
  for (int64_t i = 0; i < mask.numel(); ++i) ++c.at[mask.data<int64_t>()[i]][(gray.row(0)[i] > threshold) == bright_is_cell];
  return c;
}

}  // namespace

TEST_CASE("synthetic cells: a sample depends on seed and index alone") {
  const SyntheticCells few({.count = 3, .size = 40, .seed = 7}), many({.count = 1000, .size = 40, .seed = 7}),
      other({.count = 3, .size = 40, .seed = 8});
  for (int64_t i : {2, 0, 1}) {
    const auto a = few.get(i), b = many.get(i), c = other.get(i);
    REQUIRE((same_bits(a.image, b.image) && same_bits(a.mask, b.mask)));
    REQUIRE(!same_bits(a.image, c.image));
  }
  REQUIRE(!same_bits(few.get(0).image, few.get(1).image));
  REQUIRE_THROWS_AS(few.get(3), ShapeError);
  REQUIRE_THROWS_AS(few.get(-1), ShapeError);
}

TEST_CASE("synthetic cells: any size, masks of 0 and 1") {
  for (Size2 size : {Size2(1), Size2(1, 50), Size2(37, 3), Size2(65, 130)}) {
    const auto s = SyntheticCells({.count = 1, .size = size, .seed = 3}).get(0);
    REQUIRE((s.image.shape() == Shape{size.h, size.w, 3} && s.image.dtype() == DType::u8));
    REQUIRE(s.mask.shape() == Shape{size.h, size.w});
    for (int64_t i = 0; i < s.mask.numel(); ++i) REQUIRE((s.mask.data<int64_t>()[i] | 1) == 1);
  }
  REQUIRE_THROWS_WITH(SyntheticCells({.size = 0}), Catch::Contains("size 0 x 0"));
  REQUIRE_THROWS_AS(SyntheticCells({.count = -1}), ShapeError);
}

TEST_CASE("synthetic cells: a fair part is cell, and both brighter and darker than their surroundings") {
  const SyntheticCells cells({.count = 24, .size = 128, .seed = 1});
  double covered = 0;
  for (int64_t i = 0; i < cells.size(); ++i) {
    const auto s = cells.get(i);
    for (int64_t k = 0; k < s.mask.numel(); ++k) covered += static_cast<double>(s.mask.data<int64_t>()[k]);
  }
  covered /= 24 * 128 * 128;
  REQUIRE((covered > 0.2 && covered < 0.6));
}

TEST_CASE("synthetic cells: a global threshold does not solve them") {
  const SyntheticCells cells({.count = 24, .size = 128, .seed = 1});
  Confusion sum;
  for (int64_t i = 0; i < cells.size(); ++i) {
    const auto s = cells.get(i);
    const Image gray = convert_channels(Image(s.image), 1);
    const int threshold = otsu_threshold(gray);
    const Confusion bright = compare(gray, threshold, true, s.mask), dark = compare(gray, threshold, false, s.mask);
    const Confusion& best = bright.mean_iou() > dark.mean_iou() ? bright : dark;
    for (int t : {0, 1})
      for (int p : {0, 1}) sum.at[t][p] += best.at[t][p];
  }
  INFO("Otsu's mean IoU: " << sum.mean_iou());
  REQUIRE(sum.mean_iou() <= 0.75);
}

}  // namespace tapetum::data
