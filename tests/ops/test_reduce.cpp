#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/reduce_cases.h"

namespace tapetum::test {

OP_TESTS("reduce", reduce_cases)

TEST_CASE("max: the first of equals has the index and the whole gradient; over all they share it") {
  const Tensor x = tensor({1, 3, 3, 0, 2, 2}, {2, 3}).set_requires_grad();
  const auto [values, indices] = max(x, 1);
  REQUIRE(values.shape() == Shape{2});
  REQUIRE(indices.data<int64_t>()[0] == 1);
  REQUIRE(indices.data<int64_t>()[1] == 1);
  const Tensor g = grad({sum(values)}, {x})[0];
  REQUIRE(g(0, 1).item() == 1);
  REQUIRE(g(0, 2).item() == 0);
  REQUIRE(grad({max(x)}, {x})[0](0, 2).item() == 0.5);
}

TEST_CASE("min: a kept dimension, no dimensions, NaN and nothing") {
  const Tensor x = tensor({4, NAN, 1, 2}, {2, 2});
  const auto [values, indices] = min(x, -2, true);
  REQUIRE(values.shape() == Shape{1, 2});
  REQUIRE(indices.data<int64_t>()[0] == 1);
  REQUIRE(std::isnan(values(0, 1).item()));
  REQUIRE(min(scalar_tensor(3), 0).values.item() == 3);
  REQUIRE(min(tensor({5, 2}, DType::u8), 0).values.dtype() == DType::u8);
  REQUIRE_THROWS_WITH(min(zeros({2, 0}), 1), Catch::StartsWith("min: "));
  REQUIRE_THROWS_WITH(max(x, 2), Catch::StartsWith("max: "));
}

}  // namespace tapetum::test
