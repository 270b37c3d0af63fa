// Lowers the learning rate when a metric has stopped to get better. As torch.optim.lr_scheduler.ReduceLROnPlateau.
#pragma once
#include "optim/optimizer.h"

namespace tapetum::optim {

struct PlateauOptions {
  bool maximize = false;    // greater is better
  double factor = 0.1;      // of the rate at each reduction
  int64_t patience = 10;    // epochs without improvement that are tolerated
  double threshold = 1e-4;  // what counts as one: a part of the best value, or an amount
  bool relative = true;
  int64_t cooldown = 0;           // epochs after a reduction that are not counted
  double min_lr = 0, eps = 1e-8;  // a change of at most eps is not made
};

class ReduceLROnPlateau {
 public:
  explicit ReduceLROnPlateau(Optimizer& optimizer, const PlateauOptions& options = {});  // keeps a reference
  void step(double metric);                                                              // after an epoch; NaN is no improvement

  StateDict state_dict() const;                  // f64 [] each; the rates themselves are saved by the optimizer
  void load_state_dict(const StateDict& state);  // throws Error naming what is missing

 private:
  bool better(double metric) const;
  void reduce();
  Optimizer* optimizer_;
  PlateauOptions options_;
  double best_;
  int64_t bad_epochs_ = 0, cooldown_ = 0;
};

}  // namespace tapetum::optim
