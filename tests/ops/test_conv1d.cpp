#include <catch2/catch.hpp>

#include "tests/ops/conv1d_cases.h"

namespace tapetum::test {

OP_TESTS("conv1d", conv1d_cases)

TEST_CASE("conv1d: what does not fit is named with the caller's shapes") {
  const Tensor x = rand({2, 3, 9}), w = rand({4, 3, 3});
  REQUIRE_THROWS_WITH(conv1d(rand({9}), w), Catch::Contains("conv1d: expected an input [N, C, L] or [C, L], got [9]"));
  REQUIRE_THROWS_WITH(conv1d(x, rand({4, 2, 3})), Catch::Contains("conv1d: weight must be [out, in/groups, s], got [4, 2, 3]"));
  REQUIRE_THROWS_WITH(conv_transpose1d(x, rand({4, 2, 3})), Catch::Contains("conv_transpose1d: weight must be [in, out/groups, s], got [4, 2, 3]"));
  REQUIRE_THROWS_AS(conv1d(x, rand({4, 3, 12})), ShapeError);
  REQUIRE_THROWS_AS(conv1d(x, w, {.stride = 2, .padding = "same"}), ShapeError);
  REQUIRE_THROWS_AS(conv1d(x, w, {.padding = {1, 2}}), ShapeError);
  REQUIRE_THROWS_AS(conv1d(x, to(w, DType::f64)), DTypeError);
}

}  // namespace tapetum::test
