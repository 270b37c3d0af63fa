#include "core/serialization/state_dict.h"

#include <fmt/core.h>

#include "core/error.h"

namespace tapetum {

void StateDict::set(const std::string& name, const Tensor& t) {
  for (Entry& e : entries_)
    if (e.first == name) {
      e.second = t;
      return;
    }
  entries_.emplace_back(name, t);
}

const Tensor* StateDict::find(const std::string& name) const {
  for (const Entry& e : entries_)
    if (e.first == name) return &e.second;
  return nullptr;
}

const Tensor& StateDict::at(const std::string& name) const {
  if (const Tensor* t = find(name)) return *t;
  throw Error(fmt::format("state_dict: no tensor is called '{}'", name));
}

}  // namespace tapetum
