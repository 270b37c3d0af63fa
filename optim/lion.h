// Lion, "evolved sign momentum" (Chen et al. 2023, Symbolic Discovery of Optimization Algorithms). Its rate is 3 to 10 times smaller than
// AdamW's, its decay as much greater.
#pragma once
#include "optim/optimizer.h"

namespace tapetum::optim {

struct LionOptions {
  double lr = 1e-4;
  std::array<double, 2> betas{0.9, 0.99};
  double weight_decay = 0;  // parameters shrink by lr * weight_decay at each step
  void check() const;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("lr", s.lr);
    v("betas", s.betas);
    v("weight_decay", s.weight_decay);
  }
};

class Lion final : public GroupedOptimizer<LionOptions> {
 public:
  explicit Lion(std::vector<Tensor> parameters, const LionOptions& options = {}) : Lion({{std::move(parameters), options}}) {}
  explicit Lion(std::vector<ParameterGroup<LionOptions>> groups) : GroupedOptimizer(std::move(groups)) {}

 private:
  const char* name() const override { return "Lion"; }
  std::array<const char*, kStates> state_names(size_t group) const override;
  double& momentum_of(size_t group) override { return options_.at(group).betas[0]; }
  void run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) override;
};

}  // namespace tapetum::optim
