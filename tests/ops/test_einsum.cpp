#include <catch2/catch.hpp>

#include "tests/ops/einsum_cases.h"

namespace tapetum::test {

OP_TESTS("einsum", einsum_cases)

TEST_CASE("einsum: empty dimensions, numbers and one operand") {
  REQUIRE(einsum("ij,jk->ik", {zeros({2, 0}), zeros({0, 3})}).shape() == Shape{2, 3});
  REQUIRE(sum(einsum("ij,jk", {zeros({2, 0}), zeros({0, 3})})).item() == 0);
  REQUIRE(einsum("...,...->...", {full({}, 3), full({2}, 2)}).shape() == Shape{2});
  REQUIRE(einsum(",", {full({}, 3), full({}, 2)}).item() == 6);
  REQUIRE(einsum("Ba", {zeros({2, 3})}).shape() == Shape{2, 3});  // A-Z before a-z
  REQUIRE(einsum("ba", {zeros({2, 3})}).shape() == Shape{3, 2});
  REQUIRE(einsum("i,j->ij", {full({2}, 3, DType::i64), full({3}, 2, DType::i64)}).dtype() == DType::i64);
}

TEST_CASE("einsum: an equation that does not fit is refused") {
  const Tensor a = rand({2, 3}), b = rand({3, 4});
  REQUIRE_THROWS_WITH(einsum("ij,jk", {a}), Catch::Contains("2 terms for 1 operands"));
  REQUIRE_THROWS_WITH(einsum("ijk,jk", {a, b}), Catch::Contains("term \"ijk\" does not fit [2, 3]"));
  REQUIRE_THROWS_WITH(einsum("i,jk", {a, b}), Catch::Contains("term \"i\" does not fit [2, 3]"));
  REQUIRE_THROWS_WITH(einsum("ij,ik", {a, b}), Catch::Contains("sizes 2 and 3"));
  REQUIRE_THROWS_WITH(einsum("ii", {a}), Catch::Contains("repeated letter"));
  REQUIRE_THROWS_WITH(einsum("ij->ijk", {a}), Catch::Contains("no operand has"));
  REQUIRE_THROWS_WITH(einsum("ij->ii", {a}), Catch::Contains("twice"));
  REQUIRE_THROWS_WITH(einsum("i1", {a}), Catch::Contains("got '1'"));
  REQUIRE_THROWS_WITH(einsum("......", {a}), Catch::Contains("at most one"));
  REQUIRE_THROWS_WITH(einsum("..ij", {a}), Catch::Contains("at most one"));
}

}  // namespace tapetum::test
