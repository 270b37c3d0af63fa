#include "optim/averages.h"

#include <fmt/format.h>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"

namespace tapetum::optim {
namespace {

std::string key(const std::string& name, size_t i) { return fmt::format("{}.{}", name, i); }

}  // namespace

StateDict saved_averages(const std::string& name, const std::vector<Tensor>& averages, const Tensor& steps) {
  StateDict state;
  for (size_t i = 0; i < averages.size(); ++i) state.set(key(name, i), averages[i]);
  state.set("steps", steps);
  return state;
}

void load_averages(const char* owner, const std::string& name, const StateDict& state, std::vector<Tensor>& averages, Tensor& steps) {
  std::vector<std::string> wrong;
  const auto check = [&](const std::string& key, const Tensor& t) {
    const Tensor* from = state.find(key);
    if (!from || !(from->shape() == t.shape())) wrong.push_back(key);
  };
  for (size_t i = 0; i < averages.size(); ++i) check(key(name, i), averages[i]);
  check("steps", steps);
  if (!wrong.empty()) throw Error(fmt::format("{}: the saved state does not fit these tensors: {}", owner, fmt::join(wrong, ", ")));
  NoGrad no_grad;
  for (size_t i = 0; i < averages.size(); ++i) copy_(averages[i], to(state.at(key(name, i)), averages[i].device()));
  copy_(steps, to(state.at("steps"), steps.device()));
}

}  // namespace tapetum::optim
