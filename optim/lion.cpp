#include "optim/lion.h"

namespace tapetum::optim {

void LionOptions::check() const {
  check_option("Lion", "lr", lr, lr >= 0);
  check_option("Lion", "betas.0", betas[0], betas[0] >= 0 && betas[0] < 1);
  check_option("Lion", "betas.1", betas[1], betas[1] >= 0 && betas[1] < 1);
  check_option("Lion", "weight_decay", weight_decay, weight_decay >= 0);
}

std::array<const char*, Lion::kStates> Lion::state_names(size_t) const { return {"exp_avg", nullptr, nullptr}; }

void Lion::run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) {
  const LionOptions& o = options(group);
  lion_step_(items, scalars, {.beta1 = o.betas[0], .beta2 = o.betas[1], .weight_decay = o.weight_decay});
}

}  // namespace tapetum::optim
