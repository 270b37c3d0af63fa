#include <catch2/catch.hpp>

#include "core/error.h"
#include "data/preprocess.h"
#include "tests/data/pictures.h"

namespace tapetum::data {

TEST_CASE("preprocess: shape, order of channels, mean and deviation") {
  Image image(4, 6, 3);
  for (int64_t y = 0; y < 4; ++y)
    for (int64_t x = 0; x < 6; ++x)
      for (int64_t c = 0; c < 3; ++c) image.mutable_row(y)[3 * x + c] = static_cast<uint8_t>(10 + 100 * c);
  const Preprocess p{.resize = 4, .crop = {2, 3}, .mean = {10, 100, 200}, .std = {1, 2, 5}};
  const Tensor rgb = preprocess(image, p);
  REQUIRE(rgb.shape() == Shape{3, 2, 3});
  const auto plane = [](const Tensor& t, int64_t c) { return t.data<float>()[c * 6]; };
  REQUIRE((plane(rgb, 0) == 0 && plane(rgb, 1) == 5 && plane(rgb, 2) == Approx(2)));
  Preprocess q = p;
  q.order = ChannelOrder::bgr;
  const Tensor bgr = preprocess(image, q);
  REQUIRE((plane(bgr, 0) == plane(rgb, 2) && plane(bgr, 2) == plane(rgb, 0)));
  q.order = ChannelOrder::gray;
  REQUIRE(preprocess(image, q).shape() == Shape{1, 2, 3});
}

TEST_CASE("preprocess: one pixel, long and thin images, images smaller than the crop") {
  const Preprocess p;
  REQUIRE(preprocess(Image(1, 1, 3), p).shape() == Shape{3, 224, 224});
  REQUIRE(preprocess(Image(2, 200, 1), p).shape() == Shape{3, 224, 224});
  REQUIRE_THROWS_WITH(preprocess(Image(2, 30000, 3), p), Catch::Contains("30000 x 2 pixels is too long"));
  REQUIRE(preprocess(Image(2, 30000, 3), {.resize = 0}).shape() == Shape{3, 224, 224});
  REQUIRE(preprocess(Image(8, 8, 4), {.resize = 8, .crop = 12}).shape() == Shape{3, 12, 12});
  REQUIRE_THROWS_AS(preprocess(Image(8, 8, 3), {.crop = 0}), ShapeError);
  REQUIRE_THROWS_AS(preprocess(Image(8, 8, 3), {.std = {1, 0, 1}}), ShapeError);
}

TEST_CASE("preprocess: both roundings") {
  // 7 x 4 to a shorter side of 6: 10.5, which is 10 or 11; a crop of 3 leaves 7 and 3, or 8 and 3.
  const Image image = test::gradient({4, 7}, 3);
  const Preprocess torchvision{.resize = 6, .crop = 3}, nearest{.resize = 6, .crop = 3, .rounding = Rounding::nearest};
  const Tensor a = preprocess(image, torchvision), b = preprocess(image, nearest);
  bool same = true;
  for (int64_t i = 0; i < a.numel(); ++i) same &= a.data<float>()[i] == b.data<float>()[i];
  REQUIRE_FALSE(same);
}

TEST_CASE("preprocess: written and read again") {
  const Preprocess p{.resize = 40,
                     .crop = {32, 30},
                     .interpolation = Filter::lanczos,
                     .mean = {1.5, 2, 3.25},
                     .std = {4, 5, 6.125},
                     .order = ChannelOrder::bgr,
                     .rounding = Rounding::nearest};
  const std::string text = to_string(p);
  REQUIRE(text == "resize=40 crop=32x30 interpolation=lanczos mean=1.5,2,3.25 std=4,5,6.125 order=bgr rounding=nearest");
  REQUIRE(to_string(parse_preprocess(text)) == text);
  REQUIRE(to_string(parse_preprocess("crop=32")) == to_string(Preprocess{.crop = 32}));
  REQUIRE(to_string(parse_preprocess("")) == to_string(Preprocess{}));
  for (const char* bad :
       {"crop", "crop=x", "size=3", "mean=1,2", "mean=1,2,3,4", "std=0,1,1", "order=rbg", "rounding=up", "interpolation=cubic", "resize=-1"}) {
    INFO(bad);
    REQUIRE_THROWS_AS(parse_preprocess(bad), Error);
  }
}

}  // namespace tapetum::data
