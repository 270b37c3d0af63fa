#include "optim/plateau.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/ops/creation.h"

namespace tapetum::optim {

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, const PlateauOptions& options)
    : optimizer_(&optimizer), options_(options), best_(std::numeric_limits<double>::infinity() * (options.maximize ? -1 : 1)) {
  if (!(options.factor < 1)) throw Error(fmt::format("ReduceLROnPlateau: factor must be below 1, got {}", options.factor));
}

bool ReduceLROnPlateau::better(double metric) const {
  const double sign = options_.maximize ? 1 : -1;
  const double wanted = options_.relative ? best_ * (1 + sign * options_.threshold) : best_ + sign * options_.threshold;
  return options_.maximize ? metric > wanted : metric < wanted;
}

void ReduceLROnPlateau::step(double metric) {
  if (better(metric)) {
    best_ = metric;
    bad_epochs_ = 0;
  } else {
    ++bad_epochs_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_epochs_ = 0;
  }
  if (bad_epochs_ > options_.patience) {
    reduce();
    cooldown_ = options_.cooldown;
    bad_epochs_ = 0;
  }
}

void ReduceLROnPlateau::reduce() {
  for (size_t g = 0; g < optimizer_->group_count(); ++g) {
    const double old = optimizer_->lr(g), lower = std::max(old * options_.factor, options_.min_lr);
    if (old - lower > options_.eps) optimizer_->set_lr(lower, g);
  }
}

StateDict ReduceLROnPlateau::state_dict() const {
  StateDict state;
  state.set("best", full({}, best_, DType::f64));
  state.set("num_bad_epochs", full({}, static_cast<double>(bad_epochs_), DType::f64));
  state.set("cooldown_counter", full({}, static_cast<double>(cooldown_), DType::f64));
  return state;
}

void ReduceLROnPlateau::load_state_dict(const StateDict& state) {
  const double best = state.at("best").item(), bad = state.at("num_bad_epochs").item(), cooldown = state.at("cooldown_counter").item();
  best_ = best;
  bad_epochs_ = static_cast<int64_t>(bad);
  cooldown_ = static_cast<int64_t>(cooldown);
}

}  // namespace tapetum::optim
