#include <catch2/catch.hpp>

#include "tapetum.h"

namespace tapetum {

TEST_CASE("indexing: views") {
  const Tensor x = reshape(arange(24, DType::f32), {2, 3, 4});
  REQUIRE(x(1, 2, 3).item() == 23);
  REQUIRE(x(-1).shape() == Shape{3, 4});
  REQUIRE(x(ellipsis, 0).shape() == Shape{2, 3});
  REQUIRE(x(slice(0, 1), none, slice(1), slice(0, 4, 2)).shape() == Shape{1, 1, 2, 2});
  REQUIRE(x(0, slice(1, 3)).impl().storage == x.impl().storage);
  x(0).fill_(7);
  REQUIRE(x(0, 1, 1).item() == 7);
  REQUIRE_THROWS_AS(x(2), ShapeError);
  REQUIRE_THROWS_AS(x(0, 0, 0, 0), ShapeError);
  REQUIRE_THROWS_AS(x(ellipsis, ellipsis), ShapeError);
}

TEST_CASE("indexing: masks and index tensors") {
  const Tensor x = reshape(arange(24, DType::f32), {2, 3, 4});
  REQUIRE(x(x > 20).shape() == Shape{3});
  const Tensor rows = tensor({2, 0}, DType::i64);
  REQUIRE(x(slice(), rows).shape() == Shape{2, 2, 4});
  REQUIRE(x(slice(), rows)(1, 0, 3).item() == 23);
  REQUIRE(x(tensor({0, 1}, DType::i64), tensor({-1, 0}, DType::i64)).shape() == Shape{2, 4});
  REQUIRE(x(tensor({0, 1}, DType::i64), slice(), tensor({3, 0}, DType::i64)).shape() == Shape{2, 3});
  REQUIRE(x(tensor({0, 1}, DType::i64), slice(), tensor({3, 0}, DType::i64))(0, 2).item() == 11);
  REQUIRE_THROWS_AS(x(tensor({2}, DType::i64)), IndexError);
  REQUIRE_THROWS_AS(x(zeros({3}, DType::boolean)), ShapeError);
  manual_seed(2);
  const auto pick = [&](const std::vector<Tensor>& in) { return in[0](slice(), rows) * in[0](ellipsis, 1)(slice(), none, slice(0, 1)); };
  const std::vector<Tensor> inputs{rand({2, 3, 4}, -1, 1, DType::f64)};
  REQUIRE(check_gradient(pick, inputs).ok(1e-6));
}

}  // namespace tapetum
