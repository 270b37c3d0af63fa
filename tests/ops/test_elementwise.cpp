#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/indexing.h"
#include "core/ops/reduce.h"
#include "tests/ops/elementwise_cases.h"

namespace tapetum::test {

OP_TESTS("elementwise", elementwise_cases)

TEST_CASE("in place: operators, numbers, and operands that overlap") {
  Tensor x = arange(0, 6, 1, DType::f32);
  x += 1;
  x *= x;
  x -= tensor({1});
  x /= 2.0;
  for (int i = 0; i < 6; ++i) REQUIRE(x.data<float>()[i] == static_cast<float>((i + 1) * (i + 1) - 1) / 2);
  Tensor y = arange(6), tail = y(slice(1, 6));
  tail += y(slice(0, 5));  // each reads its left neighbour as it was before
  for (int i = 1; i < 6; ++i) REQUIRE(y.data<int64_t>()[i] == 2 * i - 1);
  Tensor z = arange(6), left = z(slice(0, 5));
  left.copy_(z(slice(1, 6)));
  for (int i = 0; i < 5; ++i) REQUIRE(z.data<int64_t>()[i] == i + 1);
  Tensor t = ones({3, 3});
  t += t.transpose(0, 1);
  REQUIRE(sum(t).item() == 18);
}

TEST_CASE("in place: fractions do not fit into integers") {
  Tensor x = arange(3);
  REQUIRE_THROWS_AS(x += 0.5, DTypeError);
  REQUIRE_THROWS_AS(x /= 2, DTypeError);
  REQUIRE_THROWS_AS(x *= ones({3}), DTypeError);
  REQUIRE((x *= 2).data<int64_t>()[2] == 4);
}

}  // namespace tapetum::test
