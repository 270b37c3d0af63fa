// Lookahead (Zhang et al. 2019): slow weights that follow those of another optimizer a part of the way, each k steps; it goes on from there.
//   optim::Adam adam(model.parameters());
//   optim::Lookahead lookahead(adam, {.k = 5});
//   lookahead.step();   // in place of adam.step(); rates, schedules and gradients are adam's
#pragma once
#include "optim/optimizer.h"

namespace tapetum::optim {

struct LookaheadOptions {
  int64_t k = 5;
  double alpha = 0.8;  // the part of the way, in [0, 1]
};

class Lookahead {
 public:
  explicit Lookahead(Optimizer& optimizer, const LookaheadOptions& options = {});  // keeps a reference; slow weights begin as copies
  void step();                                                                     // the optimizer's step, and follow
  void follow(const Tensor& found_inf = {});                                       // after a step of the optimizer with this found_inf
  Optimizer& optimizer() const { return *optimizer_; }
  void zero_grad() { optimizer_->zero_grad(); }
  const std::vector<Tensor>& slow_weights() const { return slow_; }
  StateDict state_dict() const;                  // "slow.0", ..., "steps"; the optimizer saves its own
  void load_state_dict(const StateDict& state);  // throws Error naming what is missing or of another shape, and then has changed nothing

 private:
  Optimizer* optimizer_;
  std::vector<Tensor> fast_, slow_;
  Tensor steps_;  // of each tensor
  LookaheadOptions options_;
};

}  // namespace tapetum::optim
