#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/resize_cases.h"

namespace tapetum::test {

OP_TESTS("resize", resize_cases)

TEST_CASE("interpolate: enlarging by two lies between the pixels, aligned corners stay") {
  const Tensor x = tensor({0, 4}, {1, 1, 1, 2});
  const Tensor y = interpolate(x, {.size = {1, 4}, .mode = Interpolation::bilinear});
  for (int i = 0; i < 4; ++i) REQUIRE(y.data<float>()[i] == std::array{0.0f, 1.0f, 3.0f, 4.0f}[static_cast<size_t>(i)]);
  const Tensor z = interpolate(x, {.size = {1, 3}, .mode = Interpolation::bilinear, .align_corners = true});
  for (int i = 0; i < 3; ++i) REQUIRE(z.data<float>()[i] == static_cast<float>(2 * i));
}

TEST_CASE("interpolate: an infinity does not spread where its weight is zero") {
  const Tensor x = tensor({1, INFINITY}, {1, 1, 1, 2});
  const Tensor y = interpolate(x, {.size = {1, 3}, .mode = Interpolation::bilinear, .align_corners = true});
  REQUIRE(y.data<float>()[0] == 1);
}

TEST_CASE("pixel_shuffle: channels become blocks of pixels and come back") {
  const Tensor x = rand({2, 12, 3, 5});
  const Tensor y = pixel_shuffle(x, 2), back = pixel_unshuffle(y, 2);
  REQUIRE(y.shape() == Shape{2, 3, 6, 10});
  for (int64_t i = 0; i < x.numel(); ++i) REQUIRE(contiguous(back).data<float>()[i] == x.data<float>()[i]);
  REQUIRE(contiguous(y).data<float>()[1] == x.data<float>()[15]);  // channel 1 is the right neighbour of channel 0
}

TEST_CASE("interpolate: 16-bit types are computed in f32, integers are an error") {
  REQUIRE(interpolate(to(rand({1, 1, 2, 2}), DType::f16), {.size = 3, .mode = Interpolation::bilinear}).dtype() == DType::f16);
  REQUIRE_THROWS_AS(interpolate(zeros({1, 1, 2, 2}, DType::u8), {.size = 3}), DTypeError);
}

TEST_CASE("interpolate: options that do not go together are an error") {
  const Tensor x = rand({1, 2, 4, 4});
  REQUIRE_THROWS_AS(interpolate(x, {}), ShapeError);
  REQUIRE_THROWS_AS(interpolate(x, {.size = 2, .scale_factor = 2}), ShapeError);
  REQUIRE_THROWS_AS(interpolate(x, {.scale_factor = 0.1}), ShapeError);
  REQUIRE_THROWS_AS(interpolate(x, {.scale_factor = -1}), ShapeError);
  REQUIRE_THROWS_AS(interpolate(x, {.scale_factor = 1e300}), ShapeError);
  REQUIRE_THROWS_AS(interpolate(x, {.scale_factor = NAN}), ShapeError);
  REQUIRE_THROWS_AS(interpolate(x, {.size = {3, 0}}), ShapeError);
  REQUIRE_THROWS_AS(interpolate(x, {.size = 2, .align_corners = true}), ShapeError);
  REQUIRE_THROWS_AS(interpolate(x, {.size = 2, .mode = Interpolation::area, .antialias = true}), ShapeError);
  REQUIRE_THROWS_AS(interpolate(rand({2, 4, 4}), {.size = 2}), ShapeError);
  REQUIRE_THROWS_AS(pixel_shuffle(x, 2), ShapeError);
  REQUIRE_THROWS_AS(pixel_unshuffle(x, 3), ShapeError);
}

}  // namespace tapetum::test
