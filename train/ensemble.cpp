#include "train/ensemble.h"

#include <fmt/core.h>

#include <cmath>
#include <numeric>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/index.h"
#include "core/ops/reduce.h"
#include "core/ops/softmax.h"
#include "train/eval_guard.h"

namespace tapetum::train {

Ensemble::Ensemble(std::vector<nn::Layer*> models, const EnsembleOptions& options)
    : models_(std::move(models)), vote_(options.vote), weights_(options.weights) {
  if (models_.empty()) throw Error("ensemble: at least one model is expected, got none");
  for (size_t i = 0; i < models_.size(); ++i)
    if (!models_[i]) throw Error(fmt::format("ensemble: model {} is null", i));
  if (weights_.empty()) weights_.assign(models_.size(), 1);
  if (weights_.size() != models_.size())
    throw Error(fmt::format("ensemble: {} models need as many weights, got {}", models_.size(), weights_.size()));
  for (double w : weights_)
    if (!(w >= 0) || !std::isfinite(w)) throw Error(fmt::format("ensemble: weights must be numbers of at least 0, got {}", w));
  const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  if (!(sum > 0) || !std::isfinite(sum)) throw Error(fmt::format("ensemble: the weights' sum must be a number above 0, got {}", sum));
  for (double& w : weights_) w /= sum;
}

Tensor Ensemble::operator()(const Tensor& x) const {
  const NoGrad no_grad;
  Tensor sum;
  for (size_t i = 0; i < models_.size(); ++i) {
    const EvalGuard eval(*models_[i]);
    const Tensor logits = (*models_[i])(x);
    if (logits.dim() != 2 || (sum.defined() && logits.shape() != sum.shape()))
      throw ShapeError(fmt::format("ensemble: model {} must give logits {}, got {}", i, sum.defined() ? to_string(sum.shape()) : "[N, C]",
                                   to_string(logits.shape())));
    const Tensor share = (vote_ == Vote::soft ? softmax(logits, 1) : to(one_hot(argmax(logits, 1), logits.size(1)), logits.dtype())) * weights_[i];
    sum = sum.defined() ? sum + to(share, sum.dtype()) : share;
  }
  return sum;
}

Tensor Ensemble::predict(const Tensor& x) const {
  const NoGrad no_grad;
  return argmax((*this)(x), 1);
}

}  // namespace tapetum::train
