#include "optim/rmsprop.h"

namespace tapetum::optim {

void RMSpropOptions::check() const {
  check_option("RMSprop", "lr", lr, lr >= 0);
  check_option("RMSprop", "alpha", alpha, alpha >= 0);
  check_option("RMSprop", "eps", eps, eps >= 0);
  check_option("RMSprop", "weight_decay", weight_decay, weight_decay >= 0);
  check_option("RMSprop", "momentum", momentum, momentum >= 0);
}

// The centred kernel keeps all three states.
std::array<const char*, RMSprop::kStates> RMSprop::state_names(size_t group) const {
  const RMSpropOptions& o = options(group);
  return {"square_avg", o.momentum != 0 || o.centered ? "momentum_buffer" : nullptr, o.centered ? "grad_avg" : nullptr};
}

void RMSprop::run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) {
  const RMSpropOptions& o = options(group);
  rmsprop_step_(items, scalars, {.alpha = o.alpha, .eps = o.eps, .weight_decay = o.weight_decay, .momentum = o.momentum, .centered = o.centered});
}

}  // namespace tapetum::optim
