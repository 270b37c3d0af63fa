#include "nn/state_match.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/nearest.h"

namespace tapetum::nn {
namespace {

// The first few names, and how many there are.
std::string few(const char* kind, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  const size_t shown = std::min<size_t>(names.size(), 3);
  return fmt::format("; {} {}: {}{}", names.size(), kind, fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                     shown < names.size() ? ", ..." : "");
}

}  // namespace

std::string StateMatch::summary() const {
  return fmt::format("{} of {} tensors fit{}{}{}", matching, matching + static_cast<int64_t>(report.missing.size() + report.mismatched.size()),
                     few("missing", report.missing), few("unexpected", report.unexpected), few("of another shape", report.mismatched));
}

StateMatch match_state(Module& module, const StateDict& state, size_t most) {
  StateMatch match;
  match.report = module.compare(state);
  const StateDict own = module.state_dict();
  for (const auto& [name, t] : own)
    if (const Tensor* from = state.find(name)) match.matching += from->shape() == t.shape();

  std::vector<std::string> free = match.report.unexpected;
  for (size_t i = 0; i < std::min(most, match.report.missing.size()); ++i) {
    const std::string& name = match.report.missing[i];
    std::vector<std::string> same_shape;
    for (const std::string& f : free)
      if (state.at(f).shape() == own.at(name).shape()) same_shape.push_back(f);
    if (same_shape.empty()) continue;
    const std::string found = nearest(name, std::move(same_shape), 1)[0];
    match.renamed.emplace_back(name, found);
    free.erase(std::find(free.begin(), free.end(), found));
  }
  return match;
}

}  // namespace tapetum::nn
