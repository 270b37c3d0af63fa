#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/search_cases.h"

namespace tapetum::test {

OP_TESTS("search", search_cases)

namespace {

std::vector<int64_t> values(const Tensor& x) { return {x.data<int64_t>(), x.data<int64_t>() + x.numel()}; }

}  // namespace

TEST_CASE("searchsorted: before or behind equal values, NaN at the end, any dtype") {
  const std::vector<int64_t> before{0, 0, 1, 3, 4}, behind{0, 1, 3, 4, 4};
  for (DType t : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8}) {
    const Tensor sorted = tensor({1, 2, 2, 3}, t), x = tensor({0, 1, 2, 3, 9}, t);
    REQUIRE(values(searchsorted(sorted, x)) == before);
    REQUIRE(values(bucketize(x, sorted, true)) == behind);
  }
  REQUIRE(values(searchsorted(tensor({1, 2, NAN}), tensor({0, 5, NAN}))) == std::vector<int64_t>{0, 2, 2});
  REQUIRE(values(searchsorted(tensor({1, 2, NAN}), tensor({0, 5, NAN}), {.right = true})) == std::vector<int64_t>{0, 2, 3});
  const Tensor large = full({2}, 1 << 30, DType::i64) * (1 << 30) + arange(2);  // apart by less than a double can say
  REQUIRE(values(searchsorted(large, large)) == std::vector<int64_t>{0, 1});
}

TEST_CASE("searchsorted: what does not fit is refused") {
  REQUIRE_THROWS_AS(searchsorted(rand({2, 4}), rand({3, 2})), ShapeError);
  REQUIRE_THROWS_AS(searchsorted(rand({2, 4}), rand({2})), ShapeError);
  REQUIRE_THROWS_AS(searchsorted(full({}, 1), rand({2})), ShapeError);
  REQUIRE_THROWS_AS(searchsorted(rand({4}), rand({2}, 0, 1, DType::f64)), DTypeError);
  REQUIRE_THROWS_AS(searchsorted(rand({4}), rand({2}), {.sorter = argsort(rand({3}))}), ShapeError);
  REQUIRE_THROWS_AS(bucketize(rand({4}), rand({2, 3})), ShapeError);
}

}  // namespace tapetum::test
