// Whether a value still gets better, and the weights that it was best with.
//
//   train::EarlyStopping stopping({.patience = 5});
//   for (int epoch = 0; epoch < 100 && !stopping.should_stop(); ++epoch) {
//     ...
//     stopping.update(val_loss, model);   // keeps a copy of the weights where it is the best so far
//   }
//   stopping.restore(model);
//
// The Trainer has one of its own (patience, monitor, min_delta). For the weights, another one beside it: trainer.include("best", best), so that a
// run that is resumed still has them; best.keep(model) in on_epoch where trainer.improved(); best.restore(model) after fit.
#pragma once
#include <limits>
#include <string>

#include "core/serialization/state_dict.h"

namespace tapetum::train {

StateDict deep_copy(const StateDict& state);  // tensors that share nothing with those of `state`

enum class Goal { min, max };             // which values are better
Goal goal_of(const std::string& metric);  // min where its name contains "loss" or "error", else max

struct EarlyStoppingOptions {
  int64_t patience = 10;  // stop after so many values without a better one; 0: never
  double min_delta = 0;   // a better value is better by more than this
  Goal goal = Goal::min;
};

class EarlyStopping {
 public:
  explicit EarlyStopping(const EarlyStoppingOptions& options = {});  // throws Error for options that make no sense

  bool update(double value);  // of the next epoch; whether it is the best so far. NaN never is
  template <class Model> bool update(double value, Model& model) {
    const bool better = update(value);
    if (better) keep(model);
    return better;
  }
  bool should_stop() const { return options_.patience > 0 && epochs_ - best_epoch_ >= options_.patience; }

  double best() const { return best_; }               // NaN before there is one
  int64_t best_epoch() const { return best_epoch_; }  // from 1, the first of equals; 0: none
  int64_t epochs() const { return epochs_; }          // values so far

  // A deep copy of state_dict(): training on does not change it. restore() throws Error where nothing was kept.
  template <class Model> void keep(Model& model) { kept_ = deep_copy(model.state_dict()); }
  template <class Model> void restore(Model& model) const { model.load_state_dict(kept()); }

  // What a run that goes on later needs, the weights included. load throws Error for another thing's state.
  StateDict state_dict() const;
  void load_state_dict(const StateDict& state);

 private:
  const StateDict& kept() const;

  EarlyStoppingOptions options_;
  double best_ = std::numeric_limits<double>::quiet_NaN();
  int64_t best_epoch_ = 0, epochs_ = 0;
  StateDict kept_;
};

}  // namespace tapetum::train
