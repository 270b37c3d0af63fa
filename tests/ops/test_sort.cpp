#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/sort_cases.h"

namespace tapetum::test {

OP_TESTS("sort", sort_cases)

namespace {

std::vector<int64_t> places(const Tensor& x) { return {x.data<int64_t>(), x.data<int64_t>() + x.numel()}; }

}  // namespace

TEST_CASE("sort: NaN is the greatest value, and equal values keep their order") {
  const Tensor x = tensor({3, NAN, -0.0, 0, -INFINITY, 3, INFINITY, NAN}, {8});
  REQUIRE(places(argsort(x)) == std::vector<int64_t>{4, 2, 3, 0, 5, 6, 1, 7});
  REQUIRE(places(argsort(x, 0, {.descending = true})) == std::vector<int64_t>{1, 7, 6, 0, 5, 2, 3, 4});
  REQUIRE(places(topk(x, 3).indices) == std::vector<int64_t>{1, 7, 6});
  REQUIRE(places(topk(x, 2, 0, {.largest = false}).indices) == std::vector<int64_t>{4, 2});
}

TEST_CASE("sort: every dtype has its order") {
  for (DType t : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::i8})
    REQUIRE(places(argsort(tensor({1, -3, 2, -1}, {4}, t))) == std::vector<int64_t>{1, 3, 0, 2});
  REQUIRE(places(argsort(tensor({200, 3, 130}, {3}, DType::u8))) == std::vector<int64_t>{1, 2, 0});
  REQUIRE(places(argsort(tensor({1, 0, 1}, {3}, DType::boolean))) == std::vector<int64_t>{1, 0, 2});
}

TEST_CASE("topk: k and dim out of range are named") {
  REQUIRE_THROWS_WITH(topk(rand({2, 3}), 4), "topk: k 4 is out of range for size 3 of dimension 1");
  REQUIRE_THROWS_AS(topk(rand({2, 3}), -1), IndexError);
  REQUIRE_THROWS_AS(sort(rand({2, 3}), 2), ShapeError);
}

}  // namespace tapetum::test
