#include "train/early_stopping.h"

#include <fmt/core.h>

#include <cmath>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/view.h"
#include "train/checkpoint.h"

namespace tapetum::train {

StateDict deep_copy(const StateDict& state) {
  const NoGrad no_grad;
  StateDict copy;
  for (const auto& [name, t] : state) copy.set(name, clone(t));
  return copy;
}

Goal goal_of(const std::string& metric) {
  return metric.find("loss") != std::string::npos || metric.find("error") != std::string::npos ? Goal::min : Goal::max;
}

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options) : options_(options) {
  if (options.patience < 0) throw Error(fmt::format("early_stopping: patience must be at least 0, got {}", options.patience));
  if (!(options.min_delta >= 0) || !std::isfinite(options.min_delta))
    throw Error(fmt::format("early_stopping: min_delta must be a number of at least 0, got {}", options.min_delta));
}

bool EarlyStopping::update(double value) {
  ++epochs_;
  if (std::isnan(value)) return false;
  const double gain = options_.goal == Goal::max ? value - best_ : best_ - value;
  if (best_epoch_ && !(gain > options_.min_delta)) return false;
  best_ = value;
  best_epoch_ = epochs_;
  return true;
}

const StateDict& EarlyStopping::kept() const {
  if (!kept_.size()) throw Error("early_stopping: restore: no weights were kept: no value was better than NaN, or update() was not given the model");
  return kept_;
}

StateDict EarlyStopping::state_dict() const {
  StateDict state;
  state.set("epochs", pack(std::vector<int64_t>{epochs_, best_epoch_}));
  state.set("best", pack(std::vector<double>{best_}));
  add_part(state, "kept", kept_);
  return state;
}

void EarlyStopping::load_state_dict(const StateDict& state) {
  const std::vector<int64_t> epochs = unpack_integers(state.at("epochs"));
  const std::vector<double> best = unpack(state.at("best"));
  if (epochs.size() != 2 || best.size() != 1) throw Error("early_stopping: load_state_dict: this is not the state of an EarlyStopping");
  epochs_ = epochs[0];
  best_epoch_ = epochs[1];
  best_ = best[0];
  kept_ = deep_copy(get_part(state, "kept"));
}

}  // namespace tapetum::train
