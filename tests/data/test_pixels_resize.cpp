#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/ops/creation.h"
#include "data/pixels/geometry.h"
#include "data/pixels/resize.h"
#include "tests/data/pictures.h"
#include "tests/data/reference.h"

namespace tapetum::data {

using test::difference;
using test::equal;

namespace {

constexpr Filter kFilters[] = {Filter::nearest, Filter::box, Filter::bilinear, Filter::hamming, Filter::bicubic, Filter::lanczos};

std::vector<int> values(const Image& image) { return {image.row(0), image.row(0) + image.tensor().numel()}; }

Image counting(int64_t h, int64_t w, int64_t channels = 1) {
  Image image(h, w, channels);
  for (int64_t i = 0; i < h * w * channels; ++i) image.mutable_row(0)[i] = static_cast<uint8_t>(i);
  return image;
}

}  // namespace

TEST_CASE("resize: equals Pillow, bit for bit, in every filter", "[parity]") {
  const test::Reference reference("resize");
  for (const Filter filter : kFilters) {
    const std::string name = name_of(filter);
    for (const Size2 size : {Size2(17, 29), Size2(30, 79), Size2(17, 70), Size2(66, 91), Size2(1, 1)}) {
      CAPTURE(name, size.h, size.w);
      REQUIRE(equal(resize(reference.image("photo"), size, filter), reference.image(fmt::format("resize_{}_{}x{}", name, size.h, size.w))));
    }
    REQUIRE(equal(resize(reference.image("gray"), {90, 40}, filter), reference.image("resize_gray_" + name)));
    REQUIRE(equal(resize(reference.image("rgba"), {27, 33}, filter), reference.image("resize_rgba_" + name)));
  }
}

TEST_CASE("resize: without antialias equals PyTorch's interpolate within a level", "[parity]") {
  const test::Reference reference("resize");
  for (const Filter filter : {Filter::bilinear, Filter::bicubic})
    for (const Size2 size : {Size2(17, 29), Size2(66, 91)}) {
      const auto d = difference(resize(reference.image("photo"), size, filter, false),
                                reference.image(fmt::format("plain_{}_{}x{}", name_of(filter), size.h, size.w)));
      CAPTURE(name_of(filter), size.h, d.worst, d.share);
      REQUIRE(d.within(1, 0.25));
    }
}

TEST_CASE("resize: any size to any size keeps a flat picture flat, and its input as it was") {
  for (const int64_t channels : {1, 3, 4})
    for (const Size2 from : {Size2(1, 1), Size2(1, 40), Size2(33, 1), Size2(17, 19)})
      for (const Size2 to : {Size2(1, 1), Size2(50, 2), Size2(3, 64)})
        for (const Filter filter : kFilters)
          for (const bool antialias : {true, false}) {
            Image flat(full({from.h, from.w, channels}, 255, DType::u8));
            const Image made = resize(flat, to, filter, antialias);
            REQUIRE(made.tensor().shape() == Shape{to.h, to.w, channels});
            for (const int v : values(made)) REQUIRE(v == 255);
          }
  const Image before = counting(5, 7, 3);
  (void)resize(before, 3, Filter::lanczos);
  REQUIRE(equal(before, counting(5, 7, 3)));
  REQUIRE_THROWS_AS(resize(before, 0), ShapeError);
  REQUIRE_THROWS_WITH(resize(before, {40000, 1}), Catch::Contains("40000 x 1"));
}

TEST_CASE("crops and borders: values, and errors that name the sizes") {
  const Image image = counting(3, 4);
  REQUIRE(values(crop(image, 1, 2, {2, 2})) == std::vector<int>{6, 7, 10, 11});
  REQUIRE_THROWS_WITH(crop(image, 2, 0, {2, 2}), Catch::Contains("3 x 4") && Catch::Contains("2 x 2 at row 2"));
  REQUIRE(values(center_crop(image, {1, 2})) == std::vector<int>{5, 6});
  REQUIRE(values(center_crop(counting(1, 1), 3)) == std::vector<int>{0, 0, 0, 0, 0, 0, 0, 0, 0});
  REQUIRE(values(pad(counting(1, 4), 0, 0, 3, 2, Border::reflect)) == std::vector<int>{3, 2, 1, 0, 1, 2, 3, 2, 1});
  REQUIRE(values(pad(counting(1, 4), 0, 0, 3, 2, Border::symmetric)) == std::vector<int>{2, 1, 0, 0, 1, 2, 3, 3, 2});
  REQUIRE(values(pad(counting(1, 2), 1, 0, 1, 0, Border::replicate)) == std::vector<int>{0, 0, 1, 0, 0, 1});
  REQUIRE(values(pad(counting(1, 1, 3), 0, 0, 0, 1, Border::constant, Fill(7, 8, 9))) == std::vector<int>{0, 1, 2, 7, 8, 9});
  REQUIRE_THROWS_AS(pad(image, -1, 0, 0, 0), ShapeError);
  const Tensor mask = pad(full({1, 1}, 3, DType::i64), 0, 0, 1, 1, Border::constant, 255);
  REQUIRE((mask.data<int64_t>()[0] == 255 && mask.data<int64_t>()[1] == 3));
}

TEST_CASE("flips and turns: four quarter turns and two flips are nothing, one turn is against the clock") {
  for (const int64_t channels : {1, 3, 4}) {
    const Image image = counting(5, 37, channels);
    REQUIRE(equal(flip_horizontal(flip_horizontal(image)), image));
    REQUIRE(equal(flip_vertical(flip_vertical(image)), image));
    REQUIRE(equal(rotate90(rotate90(image, 1), -5), image));
    REQUIRE(equal(rotate90(image, 2), flip_vertical(flip_horizontal(image))));
    REQUIRE(equal(transpose(transpose(image)), image));
  }
  REQUIRE(values(rotate90(counting(2, 3), 1)) == std::vector<int>{2, 5, 1, 4, 0, 3});
}

TEST_CASE("exif_transpose: undoes what each orientation did") {
  const Image shown = counting(2, 3);
  const Image stored[] = {shown,
                          flip_horizontal(shown),
                          rotate90(shown, 2),
                          flip_vertical(shown),
                          transpose(shown),
                          rotate90(shown, 1),
                          rotate90(transpose(shown), 2),
                          rotate90(shown, -1)};
  for (int64_t i = 1; i <= 8; ++i) REQUIRE(equal(exif_transpose(stored[i - 1], i), shown));
  REQUIRE_THROWS_WITH(exif_transpose(shown, 9), Catch::Contains("got 9"));
}

}  // namespace tapetum::data
