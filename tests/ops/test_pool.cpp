#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/ops/pool_cases.h"

namespace tapetum::test {

OP_TESTS("pool", pool_cases)

TEST_CASE("max_pool2d: indices are places in the plane, of the first of equals") {
  const auto [y, index] = max_pool2d_with_indices(tensor({1, 3, 3, 0, 2, 3, 3, 1}, {1, 1, 2, 4}), 2);
  REQUIRE(y.shape() == Shape{1, 1, 1, 2});
  REQUIRE(index.dtype() == DType::i64);
  REQUIRE_FALSE(index.requires_grad());
  REQUIRE(index.data<int64_t>()[0] == 1);
  REQUIRE(index.data<int64_t>()[1] == 2);
}

TEST_CASE("max_pool2d: a NaN wins, and padding never does") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), low = -std::numeric_limits<double>::infinity();
  for (bool wide : {false, true}) {
    Tensor x = tensor({nan, 5, low, low}, {1, 1, 1, 4});
    if (wide) x = channels_last(expand(x, {1, 5, 1, 4}));
    const auto [y, index] = max_pool2d_with_indices(x, {1, 2});
    const Tensor dense = contiguous(y), at = contiguous(index);
    REQUIRE(std::isnan(dense.data<float>()[0]));
    REQUIRE(dense.data<float>()[1] == low);
    REQUIRE(at.data<int64_t>()[0] == 0);
    REQUIRE(at.data<int64_t>()[1] == 2);
  }
}

TEST_CASE("max_pool2d: the layout of the result follows the input") {
  REQUIRE(max_pool2d(rand({2, 8, 6, 6}), 2).is_channels_last());
  REQUIRE(max_pool2d(rand({2, 3, 6, 6}), 2).is_contiguous());
  REQUIRE(max_pool2d(channels_last(rand({2, 3, 6, 6})), 2).is_channels_last());
}

TEST_CASE("pool: 16-bit types are computed in f32, integers are an error") {
  const Tensor x = to(tensor({1, 2, 3, 4}, {1, 1, 2, 2}), DType::bf16).detach().set_requires_grad();
  REQUIRE(max_pool2d(x, 2).dtype() == DType::bf16);
  REQUIRE(max_pool2d(x, 2).item() == 4);
  REQUIRE(avg_pool2d(x, 2).item() == 2.5);
  REQUIRE(grad({avg_pool2d(x, 2)}, {x})[0].dtype() == DType::bf16);
  REQUIRE_THROWS_AS(max_pool2d(to(x, DType::i32), 2), DTypeError);
  REQUIRE_THROWS_AS(avg_pool2d(to(x, DType::u8), 2), DTypeError);
}

TEST_CASE("pool: one image is pooled as in a batch") {
  const Tensor x = rand({5, 7, 6}), batch = unsqueeze(x, 0);
  const auto [y, index] = max_pool2d_with_indices(x, 3, {.padding = 1});
  const auto [all_y, all_index] = max_pool2d_with_indices(batch, 3, {.padding = 1});
  REQUIRE(y.shape() == Shape{5, 3, 2});
  REQUIRE(all(y == all_y(0)).item() == 1);
  REQUIRE(all(index == all_index(0)).item() == 1);
  REQUIRE(all(adaptive_max_pool2d(x, 2) == adaptive_max_pool2d(batch, 2)(0)).item() == 1);
}

TEST_CASE("max_pool2d: a window that cannot be is an error") {
  const Tensor x = rand({1, 2, 4, 4});
  REQUIRE_THROWS_AS(max_pool2d(x, 5), ShapeError);
  REQUIRE_THROWS_AS(max_pool2d(x, 2, {.padding = 2}), ShapeError);
  REQUIRE_THROWS_AS(max_pool2d(x, 0), ShapeError);
  REQUIRE_THROWS_AS(max_pool2d(x, 2, {.dilation = 0}), ShapeError);
  REQUIRE_THROWS_AS(max_pool2d(rand({4, 4}), 2), ShapeError);
  REQUIRE_THROWS_AS(adaptive_max_pool2d(x, {0, 1}), ShapeError);
  REQUIRE_THROWS_AS(avg_pool2d(x, 5), ShapeError);
  REQUIRE_THROWS_AS(avg_pool2d(x, 2, {.divisor_override = -1}), ShapeError);
  REQUIRE_THROWS_AS(adaptive_avg_pool2d(x, {1, -1}), ShapeError);
}

}  // namespace tapetum::test
