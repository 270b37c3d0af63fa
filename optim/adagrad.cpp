#include "optim/adagrad.h"

#include "core/error.h"

namespace tapetum::optim {

void AdagradOptions::check() const {
  check_option("Adagrad", "lr", lr, lr >= 0);
  check_option("Adagrad", "lr_decay", lr_decay, lr_decay >= 0);
  check_option("Adagrad", "weight_decay", weight_decay, weight_decay >= 0);
  check_option("Adagrad", "initial_accumulator_value", initial_accumulator_value, initial_accumulator_value >= 0);
  check_option("Adagrad", "eps", eps, eps >= 0);
}

std::array<const char*, Adagrad::kStates> Adagrad::state_names(size_t) const { return {"sum", nullptr, nullptr}; }

double& Adagrad::momentum_of(size_t) { throw Error("Adagrad: it has no momentum"); }

void Adagrad::run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) {
  const AdagradOptions& o = options(group);
  adagrad_step_(items, scalars, {.lr_decay = o.lr_decay, .weight_decay = o.weight_decay, .eps = o.eps});
}

}  // namespace tapetum::optim
