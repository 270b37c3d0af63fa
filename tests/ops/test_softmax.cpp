#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/softmax_cases.h"

namespace tapetum::test {

OP_TESTS("softmax", softmax_cases)

TEST_CASE("softmax: dense layouts are kept, others become row-major") {
  const Tensor x = rand({2, 3, 4, 5});
  REQUIRE(softmax(channels_last(x), 1).is_channels_last());
  REQUIRE(log_softmax(permute(x, {3, 1, 0, 2}), 2).strides() == permute(x, {3, 1, 0, 2}).strides());
  REQUIRE(softmax(slice(x, 3, 0, 5, 2), 1).is_contiguous());
}

TEST_CASE("softmax: infinities and NaN stay within their line") {
  const double inf = INFINITY;
  const Tensor x = tensor({0, -inf, 0, NAN, 1, 2, -inf, -inf, -inf, 5, inf, 1}, {4, 3});
  const Tensor y = softmax(x, 1), z = log_softmax(x, 1);
  REQUIRE(y.data<float>()[0] == 0.5f);
  REQUIRE(y.data<float>()[1] == 0);
  REQUIRE(z.data<float>()[1] == -inf);
  for (int i = 3; i < 12; ++i) REQUIRE(std::isnan(y.data<float>()[i]));
}

TEST_CASE("softmax: wrong dimensions and types are named") {
  REQUIRE_THROWS_WITH(softmax(rand({2, 3}), 2), Catch::Contains("dimension 2 is out of range for 2 dimensions"));
  REQUIRE_THROWS_AS(log_softmax(tensor({1, 2}, {2}, DType::i64), 0), DTypeError);
}

}  // namespace tapetum::test
