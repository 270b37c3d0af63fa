#include <catch2/catch.hpp>

#include "tests/ops/fold_cases.h"

namespace tapetum::test {

OP_TESTS("fold", fold_cases)

TEST_CASE("unfold: times the filters it is the convolution") {
  const Tensor x = rand({2, 3, 7, 6}, -1, 1, DType::f64), w = rand({4, 3, 3, 2}, -1, 1, DType::f64);
  const Tensor y = matmul(reshape(w, {4, 18}), unfold(x, {3, 2}, {.padding = 1, .stride = 2}));
  REQUIRE(amax(abs(reshape(y, {2, 4, 4, 4}) - conv2d(x, w, {.stride = 2, .padding = 1}))).item() < 1e-13);
}

TEST_CASE("fold: what does not fit is refused") {
  REQUIRE_THROWS_AS(unfold(rand({3, 3}), 2), ShapeError);
  REQUIRE_THROWS_AS(unfold(rand({1, 1, 3, 3}), 4), ShapeError);
  REQUIRE_THROWS_AS(unfold(rand({1, 1, 3, 3}), 2, {.stride = 0}), ShapeError);
  REQUIRE_THROWS_AS(unfold(to(rand({1, 1, 3, 3}), DType::i64), 2), DTypeError);
  REQUIRE_THROWS_WITH(fold(rand({1, 8, 5}), {5, 3}, 2), Catch::Contains("[N, C 4, 8]") && Catch::Contains("[1, 8, 5]"));
  REQUIRE_THROWS_AS(fold(rand({1, 7, 8}), {5, 3}, 2), ShapeError);
}

}  // namespace tapetum::test
