#include "optim/sgd.h"

#include "core/error.h"

namespace tapetum::optim {

void SGDOptions::check() const {
  check_option("SGD", "lr", lr, lr >= 0);
  check_option("SGD", "momentum", momentum, momentum >= 0);
  check_option("SGD", "weight_decay", weight_decay, weight_decay >= 0);
  if (nesterov && (momentum == 0 || dampening != 0)) throw Error("SGD: nesterov needs a momentum and no dampening");
}

std::array<const char*, SGD::kStates> SGD::state_names(size_t group) const {
  return {options(group).momentum != 0 ? "momentum_buffer" : nullptr, nullptr, nullptr};
}

void SGD::run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) {
  const SGDOptions& o = options(group);
  sgd_step_(items, scalars, {.momentum = o.momentum, .dampening = o.dampening, .weight_decay = o.weight_decay, .nesterov = o.nesterov});
}

}  // namespace tapetum::optim
