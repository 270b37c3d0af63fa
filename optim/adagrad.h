// Adagrad (Duchi, Hazan and Singer 2011). Formulas and defaults as torch.optim.Adagrad.
#pragma once
#include "optim/optimizer.h"

namespace tapetum::optim {

struct AdagradOptions {
  double lr = 1e-2, lr_decay = 0, weight_decay = 0, initial_accumulator_value = 0, eps = 1e-10;
  void check() const;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("lr", s.lr);
    v("lr_decay", s.lr_decay);
    v("weight_decay", s.weight_decay);
    v("initial_accumulator_value", s.initial_accumulator_value);
    v("eps", s.eps);
  }
};

class Adagrad final : public GroupedOptimizer<AdagradOptions> {
 public:
  explicit Adagrad(std::vector<Tensor> parameters, const AdagradOptions& options = {}) : Adagrad({{std::move(parameters), options}}) {}
  explicit Adagrad(std::vector<ParameterGroup<AdagradOptions>> groups) : GroupedOptimizer(std::move(groups)) {}

 private:
  const char* name() const override { return "Adagrad"; }
  std::array<const char*, kStates> state_names(size_t group) const override;
  double initial_state(size_t group) const override { return options(group).initial_accumulator_value; }
  double& momentum_of(size_t group) override;  // throws Error: there is none
  void run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) override;
};

}  // namespace tapetum::optim
