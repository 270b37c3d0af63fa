#include "optim/lamb.h"

namespace tapetum::optim {

void LAMBOptions::check() const {
  check_option("LAMB", "lr", lr, lr >= 0);
  check_option("LAMB", "betas.0", betas[0], betas[0] >= 0 && betas[0] < 1);
  check_option("LAMB", "betas.1", betas[1], betas[1] >= 0 && betas[1] < 1);
  check_option("LAMB", "eps", eps, eps >= 0);
  check_option("LAMB", "weight_decay", weight_decay, weight_decay >= 0);
}

std::array<const char*, LAMB::kStates> LAMB::state_names(size_t) const { return {"exp_avg", "exp_avg_sq", nullptr}; }

void LAMB::run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) {
  const LAMBOptions& o = options(group);
  lamb_step_(items, scalars, {.beta1 = o.betas[0], .beta2 = o.betas[1], .eps = o.eps, .weight_decay = o.weight_decay});
}

}  // namespace tapetum::optim
