// An exponential moving average of tensors (Polyak averaging): evaluated models are often better with it than with the last weights.
#pragma once
#include <vector>

#include "core/ops/optimizer.h"
#include "core/serialization/state_dict.h"

namespace tapetum::optim {

struct EMAOptions {
  double decay = 0.999;
  bool warm_up = true;  // decay min(decay, (1 + t) / (10 + t)) at the t-th update: the first weights are forgotten soon
};

class EMA {
 public:
  explicit EMA(std::vector<Tensor> tensors, const EMAOptions& options = {});  // averages begin as copies
  void update();                                                              // after a step; what is not floating-point is copied
  void swap();  // tensors and averages change places: call it before and after evaluation
  const std::vector<Tensor>& averages() const { return averages_; }
  StateDict state_dict() const;                  // "average.0", ..., "steps"
  void load_state_dict(const StateDict& state);  // throws Error naming what is missing or of another shape, and then has changed nothing

 private:
  std::vector<Tensor> tensors_, averages_;
  Tensor steps_;  // updates of each tensor
  EMAOptions options_;
};

}  // namespace tapetum::optim
