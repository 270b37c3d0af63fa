// Stochastic gradient descent with momentum; Nesterov's form as in Sutskever et al. 2013. Formulas as torch.optim.SGD.
#pragma once
#include "optim/optimizer.h"

namespace tapetum::optim {

struct SGDOptions {
  double lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
  void check() const;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("lr", s.lr);
    v("momentum", s.momentum);
    v("dampening", s.dampening);
    v("weight_decay", s.weight_decay);
    v("nesterov", s.nesterov);
  }
};

class SGD final : public GroupedOptimizer<SGDOptions> {
 public:
  explicit SGD(std::vector<Tensor> parameters, const SGDOptions& options = {}) : SGD({{std::move(parameters), options}}) {}
  explicit SGD(std::vector<ParameterGroup<SGDOptions>> groups) : GroupedOptimizer(std::move(groups)) {}

 private:
  const char* name() const override { return "SGD"; }
  std::array<const char*, kStates> state_names(size_t group) const override;
  double& momentum_of(size_t group) override { return options_.at(group).momentum; }
  void run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) override;
};

}  // namespace tapetum::optim
