// Losses as modules, called with (input, target), and what is called like one; formulas, shapes and defaults in core/ops/loss.h,
// core/ops/norm.h and core/ops/distance.h. Class weights are buffers, so that they follow the model to its device.
#pragma once
#include "core/ops/distance.h"
#include "core/ops/loss.h"
#include "core/ops/norm.h"
#include "nn/module.h"

namespace tapetum::nn {

// O without tensors: a loss that is one function with options.
template <class Self, class O, Tensor (*kLoss)(const Tensor&, const Tensor&, const O&)> struct PlainLoss : Callable<Self> {
  explicit PlainLoss(const O& options = {}) : options(options) {}
  Tensor forward(const Tensor& input, const Tensor& target) { return kLoss(input, target, options); }
  O options;
};

struct MSELoss : PlainLoss<MSELoss, LossOptions, mse_loss> {
  using PlainLoss::PlainLoss;
};
struct L1Loss : PlainLoss<L1Loss, LossOptions, l1_loss> {
  using PlainLoss::PlainLoss;
};
struct SmoothL1Loss : PlainLoss<SmoothL1Loss, SmoothL1Options, smooth_l1_loss> {
  using PlainLoss::PlainLoss;
};
struct HuberLoss : PlainLoss<HuberLoss, HuberOptions, huber_loss> {
  using PlainLoss::PlainLoss;
};
struct KLDivLoss : PlainLoss<KLDivLoss, KlDivOptions, kl_div> {
  using PlainLoss::PlainLoss;
};
struct SigmoidFocalLoss : PlainLoss<SigmoidFocalLoss, SigmoidFocalOptions, sigmoid_focal_loss> {
  using PlainLoss::PlainLoss;
};
struct CosineSimilarity : PlainLoss<CosineSimilarity, CosineSimilarityOptions, cosine_similarity> {
  using PlainLoss::PlainLoss;
};
struct PairwiseDistance : PlainLoss<PairwiseDistance, PairwiseDistanceOptions, pairwise_distance> {
  using PlainLoss::PlainLoss;
};
struct DiceLoss : PlainLoss<DiceLoss, DiceOptions, dice_loss> {
  using PlainLoss::PlainLoss;
};

// O with one tensor `kWeight` of factors, which becomes the buffer "weight".
template <class Self, class O, Tensor (*kLoss)(const Tensor&, const Tensor&, const O&), Tensor O::*kWeight = &O::weight>
struct WeightedLoss : Callable<Self> {
  explicit WeightedLoss(const O& o = {}) : weight(o.*kWeight), options(o) {}
  void visit(Visitor& v) override { v.buffer("weight", weight); }
  Tensor forward(const Tensor& input, const Tensor& target) {
    options.*kWeight = weight;
    return kLoss(input, target, options);
  }
  Buffer weight;
  O options;
};

struct CrossEntropyLoss : WeightedLoss<CrossEntropyLoss, CrossEntropyOptions, cross_entropy> {
  using WeightedLoss::WeightedLoss;
};
struct NLLLoss : WeightedLoss<NLLLoss, NllLossOptions, nll_loss> {
  using WeightedLoss::WeightedLoss;
};
struct BCELoss : WeightedLoss<BCELoss, BinaryCrossEntropyOptions, binary_cross_entropy> {
  using WeightedLoss::WeightedLoss;
};
struct FocalLoss : WeightedLoss<FocalLoss, FocalOptions, focal_loss, &FocalOptions::alpha> {
  using WeightedLoss::WeightedLoss;
};

struct BCEWithLogitsLoss : WeightedLoss<BCEWithLogitsLoss, BinaryCrossEntropyWithLogitsOptions, binary_cross_entropy_with_logits> {
  explicit BCEWithLogitsLoss(const BinaryCrossEntropyWithLogitsOptions& o = {}) : WeightedLoss(o), pos_weight(o.pos_weight) {}
  void visit(Visitor& v) override {
    WeightedLoss::visit(v);
    v.buffer("pos_weight", pos_weight);
  }
  Tensor forward(const Tensor& input, const Tensor& target) {
    options.pos_weight = pos_weight;
    return WeightedLoss::forward(input, target);
  }
  Buffer pos_weight;
};

}  // namespace tapetum::nn
