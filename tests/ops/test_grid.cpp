#include <catch2/catch.hpp>

#include "tests/ops/grid_cases.h"

namespace tapetum::test {

OP_TESTS("grid", grid_cases)

TEST_CASE("affine_grid: what does not fit is refused") {
  REQUIRE_THROWS_AS(affine_grid(rand({2, 2, 2}), {2, 1, 3, 3}), ShapeError);
  REQUIRE_THROWS_AS(affine_grid(rand({2, 2, 3}), {1, 1, 3, 3}), ShapeError);
  REQUIRE_THROWS_AS(affine_grid(rand({2, 2, 3}), {2, 1, 0, 3}), ShapeError);
  REQUIRE_THROWS_AS(affine_grid(to(rand({2, 2, 3}), DType::i64), {2, 1, 3, 3}), DTypeError);
}

}  // namespace tapetum::test
