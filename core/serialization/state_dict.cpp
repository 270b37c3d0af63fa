#include "core/serialization/state_dict.h"

#include <fmt/core.h>

#include "core/error.h"

namespace tapetum {

void StateDict::set(const std::string& name, const Tensor& t) {
  const auto [at, added] = index_.emplace(name, entries_.size());
  if (added)
    entries_.emplace_back(name, t);
  else
    entries_[at->second].second = t;
}

const Tensor* StateDict::find(const std::string& name) const {
  const auto at = index_.find(name);
  return at == index_.end() ? nullptr : &entries_[at->second].second;
}

const Tensor& StateDict::at(const std::string& name) const {
  if (const Tensor* t = find(name)) return *t;
  throw Error(fmt::format("state_dict: no tensor is called '{}'", name));
}

}  // namespace tapetum
