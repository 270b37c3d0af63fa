#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/loss_cases.h"

namespace tapetum::test {

OP_TESTS("loss", loss_cases)

TEST_CASE("cross_entropy: a label outside the classes is named with its place") {
  const Tensor x = rand({2, 3, 2, 2});
  Tensor t = zeros({2, 2, 2}, DType::i64);
  t.mutable_data<int64_t>()[6] = 3;
  t.mutable_data<int64_t>()[7] = -1;
  REQUIRE_THROWS_AS(cross_entropy(x, t), IndexError);
  REQUIRE_THROWS_WITH(cross_entropy(x, t), "cross_entropy: label 3 at [1, 1, 0] is neither one of 3 classes nor the ignored -100");
  REQUIRE_THROWS_WITH(cross_entropy(channels_last(x), t, {.ignore_index = 3}), Catch::Contains("label -1 at [1, 1, 1]"));
  REQUIRE_THROWS_AS(nll_loss(x, t), IndexError);
}

TEST_CASE("cross_entropy: where all is ignored the mean is NaN and the gradient zero") {
  const Tensor x = rand({3, 4}).set_requires_grad(), t = full({3}, -100, DType::i64);
  const Tensor loss = cross_entropy(x, t);
  REQUIRE(std::isnan(loss.item()));
  loss.backward();
  REQUIRE(sum(x.grad() * x.grad()).item() == 0);
  REQUIRE(cross_entropy(x, t, {.reduction = Reduction::sum}).item() == 0);
}

TEST_CASE("cross_entropy: the gradient has the input's layout") {
  for (const Tensor& x : {rand({2, 3, 4, 4}), channels_last(rand({2, 3, 4, 4}))}) {
    const Tensor leaf = x.detach().set_requires_grad();
    cross_entropy(leaf, labels({2, 4, 4}, 3)).backward();
    REQUIRE(leaf.grad().strides() == leaf.strides());
  }
}

TEST_CASE("cross_entropy: what does not fit is named") {
  const Tensor x = rand({2, 3, 4}), t = labels({2, 4}, 3);
  REQUIRE_THROWS_AS(cross_entropy(x, labels({2, 3}, 3)), ShapeError);
  REQUIRE_THROWS_AS(cross_entropy(x, t, {.weight = rand({4})}), ShapeError);
  REQUIRE_THROWS_AS(cross_entropy(x, t, {.weight = rand({3}, 0, 1, DType::f64)}), DTypeError);
  REQUIRE_THROWS_AS(cross_entropy(x, to(t, DType::u8)), DTypeError);
  REQUIRE_THROWS_AS(cross_entropy(x, t, {.label_smoothing = 1.5}), Error);
  REQUIRE_THROWS_AS(cross_entropy(x, t, {.reduction = Reduction::batchmean}), Error);
}

}  // namespace tapetum::test
