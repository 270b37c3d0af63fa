// LAMB (You et al. 2020, Large Batch Optimization for Deep Learning, algorithm 2): Adam's step of each parameter, as long as the parameter is.
#pragma once
#include "optim/optimizer.h"

namespace tapetum::optim {

struct LAMBOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-6, weight_decay = 1e-2;  // decay: added to the step before it is scaled
  void check() const;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("lr", s.lr);
    v("betas", s.betas);
    v("eps", s.eps);
    v("weight_decay", s.weight_decay);
  }
};

class LAMB final : public GroupedOptimizer<LAMBOptions> {
 public:
  explicit LAMB(std::vector<Tensor> parameters, const LAMBOptions& options = {}) : LAMB({{std::move(parameters), options}}) {}
  explicit LAMB(std::vector<ParameterGroup<LAMBOptions>> groups) : GroupedOptimizer(std::move(groups)) {}

 private:
  const char* name() const override { return "LAMB"; }
  std::array<const char*, kStates> state_names(size_t group) const override;
  double& momentum_of(size_t group) override { return options_.at(group).betas[0]; }
  void run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) override;
};

}  // namespace tapetum::optim
