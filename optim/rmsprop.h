// RMSprop (Hinton's lecture 6e, 2012), with momentum and the centred form of Graves 2013. Formulas as torch.optim.RMSprop.
#pragma once
#include "optim/optimizer.h"

namespace tapetum::optim {

struct RMSpropOptions {
  double lr = 1e-2, alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0;
  bool centered = false;
  void check() const;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("lr", s.lr);
    v("alpha", s.alpha);
    v("eps", s.eps);
    v("weight_decay", s.weight_decay);
    v("momentum", s.momentum);
    v("centered", s.centered);
  }
};

class RMSprop final : public GroupedOptimizer<RMSpropOptions> {
 public:
  explicit RMSprop(std::vector<Tensor> parameters, const RMSpropOptions& options = {}) : RMSprop({{std::move(parameters), options}}) {}
  explicit RMSprop(std::vector<ParameterGroup<RMSpropOptions>> groups) : GroupedOptimizer(std::move(groups)) {}

 private:
  const char* name() const override { return "RMSprop"; }
  std::array<const char*, kStates> state_names(size_t group) const override;
  double& momentum_of(size_t group) override { return options_.at(group).momentum; }
  void run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) override;
};

}  // namespace tapetum::optim
