#include <catch2/catch.hpp>

#include "tapetum.h"

namespace tapetum {
namespace {

void same(const Tensor& a, const Tensor& b) { REQUIRE(a.item() == b.item()); }

}  // namespace

TEST_CASE("losses: modules are their functions with options") {
  const Tensor x = rand({4, 3}, 0.1, 0.9), t = rand({4, 3}, 0.1, 0.9), classes = tensor({0, 2, 1, 2}, DType::i64);
  const Tensor weight = tensor({1, 2, 3});
  same(nn::MSELoss()(x, t), mse_loss(x, t));
  same(nn::L1Loss({.reduction = Reduction::sum})(x, t), l1_loss(x, t, {.reduction = Reduction::sum}));
  same(nn::SmoothL1Loss({.beta = 0.2})(x, t), smooth_l1_loss(x, t, {.beta = 0.2}));
  same(nn::HuberLoss({.delta = 0.2})(x, t), huber_loss(x, t, {.delta = 0.2}));
  same(nn::KLDivLoss()(log(x), t), kl_div(log(x), t));
  same(nn::DiceLoss()(x, classes), dice_loss(x, classes));
  same(nn::CrossEntropyLoss({.weight = weight, .label_smoothing = 0.1})(x, classes),
       cross_entropy(x, classes, {.weight = weight, .label_smoothing = 0.1}));
  same(nn::NLLLoss()(x, classes), nll_loss(x, classes));
  same(nn::BCELoss({.weight = weight})(x, t), binary_cross_entropy(x, t, {.weight = weight}));
  same(nn::BCEWithLogitsLoss({.pos_weight = weight})(x, t), binary_cross_entropy_with_logits(x, t, {.pos_weight = weight}));
  same(nn::SigmoidFocalLoss({.reduction = Reduction::sum})(x, t), sigmoid_focal_loss(x, t, {.reduction = Reduction::sum}));
  same(nn::CosineSimilarity({.dim = 0})(select(x, 1, 0), select(t, 1, 0)), cosine_similarity(select(x, 1, 0), select(t, 1, 0), {.dim = 0}));
  same(nn::FocalLoss({.gamma = 1, .alpha = weight})(x, classes), focal_loss(x, classes, {.gamma = 1, .alpha = weight}));
}

TEST_CASE("losses: factors are buffers, under PyTorch's names") {
  nn::BCEWithLogitsLoss loss({.weight = tensor({1, 2}), .pos_weight = tensor({3, 4})});
  REQUIRE(loss.parameters().empty());
  REQUIRE(loss.state_dict().contains("weight"));
  REQUIRE(loss.state_dict().contains("pos_weight"));
  loss.to(DType::f64);
  REQUIRE(loss(rand({2}, 0, 1, DType::f64), rand({2}, 0, 1, DType::f64)).dtype() == DType::f64);
  REQUIRE(nn::CrossEntropyLoss().state_dict().size() == 0);
}

TEST_CASE("embedding: rows by index; the padding row is zero and stays") {
  nn::Embedding table(5, 3, {.padding_idx = 1});
  const Tensor y = table(tensor({1, 4, 1, 0}, {2, 2}, DType::i64));
  REQUIRE(y.shape() == Shape{2, 2, 3});
  REQUIRE(amax(abs(select(table.weight, 0, 1))).item() == 0);
  sum(y).backward();
  REQUIRE(amax(abs(select(table.weight.grad(), 0, 1))).item() == 0);
  REQUIRE(sum(table.weight.grad()).item() == 6);
  REQUIRE_THROWS_AS(nn::Embedding(5, 3, {.padding_idx = 5}), ShapeError);
}

}  // namespace tapetum
