// A module, and all below it, in evaluation mode while the guard lives; afterwards each is in the mode it was in.
#pragma once
#include <utility>
#include <vector>

#include "nn/module.h"

namespace tapetum::train {

class EvalGuard {
 public:
  explicit EvalGuard(nn::Module& module) {
    module.for_each([&](nn::Module& m) { modes_.emplace_back(&m, m.training); });
    module.eval();
  }
  ~EvalGuard() {
    for (const auto& [module, training] : modes_) module->training = training;
  }
  EvalGuard(const EvalGuard&) = delete;
  EvalGuard& operator=(const EvalGuard&) = delete;

 private:
  std::vector<std::pair<nn::Module*, bool>> modes_;
};

}  // namespace tapetum::train
