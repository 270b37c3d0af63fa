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
    cross_entropy(leaf, labels(leaf, {2, 4, 4}, 3)).backward();
    REQUIRE(leaf.grad().strides() == leaf.strides());
  }
}

TEST_CASE("cross_entropy: what does not fit is named") {
  const Tensor x = rand({2, 3, 4}), t = labels(x, {2, 4}, 3);
  REQUIRE_THROWS_AS(cross_entropy(x, labels(x, {2, 3}, 3)), ShapeError);
  REQUIRE_THROWS_AS(cross_entropy(x, t, {.weight = rand({4})}), ShapeError);
  REQUIRE_THROWS_AS(cross_entropy(x, t, {.weight = rand({3}, 0, 1, DType::f64)}), DTypeError);
  REQUIRE_THROWS_AS(cross_entropy(x, to(t, DType::u8)), DTypeError);
  REQUIRE_THROWS_AS(cross_entropy(x, t, {.label_smoothing = 1.5}), Error);
  REQUIRE_THROWS_AS(cross_entropy(x, t, {.reduction = Reduction::batchmean}), Error);
}

TEST_CASE("losses: shapes, types and reductions that do not fit are named") {
  const Tensor x = rand({2, 3}), t = rand({2, 3});
  REQUIRE_THROWS_AS(mse_loss(x, rand({3})), ShapeError);
  REQUIRE_THROWS_AS(l1_loss(x, to(t, DType::f64)), DTypeError);
  REQUIRE_THROWS_AS(mse_loss(x, t, {.reduction = Reduction::batchmean}), Error);
  REQUIRE_THROWS_AS(smooth_l1_loss(x, t, {.beta = -1}), Error);
  REQUIRE_THROWS_AS(huber_loss(x, t, {.delta = 0}), Error);
  REQUIRE_THROWS_AS(binary_cross_entropy(x, t, {.weight = rand({2})}), ShapeError);
  REQUIRE_THROWS_AS(binary_cross_entropy_with_logits(x, t, {.pos_weight = rand({2, 2, 3})}), ShapeError);
}

TEST_CASE("binary_cross_entropy: probabilities 0 and 1 are bounded, others outside are NaN") {
  const Tensor x = tensor({0, 1, 0, 1.5}, {4}).set_requires_grad(), t = tensor({1, 0, 0, 1}, {4});
  const Tensor loss = binary_cross_entropy(x, t, {.reduction = Reduction::none});
  REQUIRE(loss.data<float>()[0] == 100);
  REQUIRE(loss.data<float>()[1] == 100);
  REQUIRE(loss.data<float>()[2] == 0);
  REQUIRE(std::isnan(loss.data<float>()[3]));
}

TEST_CASE("binary_cross_entropy_with_logits: large logits neither overflow nor lose their gradient") {
  const Tensor x = tensor({-1000, 1000, 0}, {3}).set_requires_grad(), t = tensor({1, 0, 0}, {3});
  const Tensor loss = binary_cross_entropy_with_logits(x, t, {.reduction = Reduction::sum});
  REQUIRE(loss.item() == Approx(2000 + std::log(2)));
  loss.backward();
  REQUIRE(x.grad().data<float>()[0] == -1);
  REQUIRE(x.grad().data<float>()[1] == 1);
  REQUIRE(x.grad().data<float>()[2] == 0.5f);
}

TEST_CASE("dice_loss: a perfect prediction costs nothing, ignored pixels neither") {
  Tensor t = labels({}, {1, 4, 4}, 2);
  const Tensor sure = transpose(reshape(to(one_hot(t, 2), DType::f32), {1, 16, 2}), 1, 2) * 100;  // [1, 2, 16]
  REQUIRE(dice_loss(sure, reshape(t, {1, 16})).item() == Approx(0).margin(1e-6));
  Tensor flipped = reshape(t, {1, 16});
  flipped.mutable_data<int64_t>()[3] = -100;
  Tensor wrong = contiguous(sure);
  wrong.mutable_data<float>()[3] = 50 - wrong.data<float>()[3];
  REQUIRE(dice_loss(wrong, flipped).item() == Approx(0).margin(1e-6));
}

TEST_CASE("dice_loss: its formula, per class") {
  const Tensor p = tensor({0.5, 1, 0.25, 0}, {1, 2, 2}), g = tensor({1, 0, 0, 1}, {1, 2, 2});
  const Tensor d = dice_loss(p, g, {.activation = Activation::none, .smooth = 0, .reduction = Reduction::none});
  REQUIRE(d.data<float>()[0] == Approx(1 - 2 * 0.5 / (0.25 + 1 + 1)));
  REQUIRE(d.data<float>()[1] == Approx(1));
  const Tensor plain = dice_loss(p, g, {.activation = Activation::none, .smooth = 1, .squared = false, .reduction = Reduction::none});
  REQUIRE(plain.data<float>()[0] == Approx(1 - (2 * 0.5 + 1) / (1.5 + 1 + 1)));
}

TEST_CASE("focal_loss: without gamma it is cross_entropy; a bad label is named") {
  const Tensor x = rand({2, 3, 4}, -2, 2), t = labels(x, {2, 4}, 3, true);
  REQUIRE(focal_loss(x, t, {.gamma = 0}).item() == Approx(cross_entropy(x, t).item()));
  REQUIRE_THROWS_WITH(focal_loss(x, full({2, 4}, 3, DType::i64)), Catch::StartsWith("focal_loss: a label is neither a class nor ignored"));
  REQUIRE_THROWS_AS(dice_loss(x, full({2, 4}, 3, DType::i64)), IndexError);
}

TEST_CASE("losses, softmax: 16-bit types are computed in f32") {
  const Tensor x = rand({2, 3, 4}, -2, 2), t = labels(x, {2, 4}, 3);
  for (DType half : {DType::f16, DType::bf16}) {
    const Tensor h = to(x, half), wide = to(h, DType::f32);
    REQUIRE(softmax(h, 1).dtype() == half);
    REQUIRE(cross_entropy(h, t).item() == to(cross_entropy(wide, t), half).item());
    REQUIRE(dice_loss(h, t).item() == to(dice_loss(wide, t), half).item());
  }
}

}  // namespace tapetum::test
