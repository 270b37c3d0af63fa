// Several classifiers that decide together: by the mean of their probabilities, or by a vote.
//
//   train::Ensemble ensemble({&a, &b, &c}, {.weights = {2, 1, 1}});
//   Tensor p = ensemble(images);            // [N, C], rows sum to 1
//   metrics.update(log(p), labels);
#pragma once
#include <vector>

#include "nn/module.h"

namespace tapetum::train {

enum class Vote {
  soft,  // the mean of softmax(logits), not of the logits: a model whose logits are large does not outvote the others
  hard   // shares of the votes, one of each model for its greatest logit; the first class where two are equal, of a model or of the ensemble
};

struct EnsembleOptions {
  Vote vote = Vote::soft;
  std::vector<double> weights = {};  // of the models, at least 0; none: all count the same
};

class Ensemble {
 public:
  // The models, which give logits [N, C] of one C, are not owned. Throws Error without any, and for weights that make no sense.
  explicit Ensemble(std::vector<nn::Layer*> models, const EnsembleOptions& options = {});

  // x [N, ...] -> probabilities [N, C], of the first model's floating type. Each model runs in evaluation mode, and in its own again
  // afterwards; nothing is recorded. Throws ShapeError naming the model whose logits do not fit.
  Tensor operator()(const Tensor& x) const;
  Tensor predict(const Tensor& x) const;  // i64 [N]: the class with the greatest probability

 private:
  std::vector<nn::Layer*> models_;
  Vote vote_;
  std::vector<double> weights_;  // sum to 1
};

}  // namespace tapetum::train
