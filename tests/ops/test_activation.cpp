#include <catch2/catch.hpp>

#include "tests/ops/activation_cases.h"

namespace tapetum::test {

OP_TESTS("activation", activation_cases)

TEST_CASE("clamp: integers stay integers between integers, and become f32 beside a real bound") {
  const Tensor x = tensor({-3, 0, 5}, DType::i32);
  REQUIRE(clamp(x, -1, 2).dtype() == DType::i32);
  REQUIRE(sum(clamp(x, -1, 2)).item() == 1);
  REQUIRE(sum(clamp_min(x, 1)).item() == 7);
  REQUIRE(sum(clamp_max(x, 1)).item() == -2);
  REQUIRE(clamp(x, -0.5, 2).dtype() == DType::f32);
  REQUIRE(sum(clamp(x, -0.5, 2)).item() == 1.5);
}

TEST_CASE("clamp: a bound may be left out, or broadcast") {
  const Tensor x = tensor({-3, 0, 5}), low = tensor({{-1}}, {1, 1});
  REQUIRE(sum(clamp(x, low, {})).item() == 4);
  REQUIRE(sum(clamp(x, {}, low)).item() == -5);
  REQUIRE(clamp(x, low, low + 1).shape() == Shape{1, 3});
}

}  // namespace tapetum::test
