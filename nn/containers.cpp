#include "nn/containers.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "nn/fuse.h"

namespace tapetum::nn {

void throw_no_module(const std::string& name, size_t size) { throw Error(fmt::format("nn: no module '{}' among {}", name, size)); }

Layer& Sequential::operator[](size_t i) {
  if (i >= size()) throw_no_module(std::to_string(i), size());
  return *children_[i];
}

void Sequential::visit(Visitor& v) {
  for (size_t i = 0; i < size(); ++i) v(std::to_string(i).c_str(), *children_[i]);
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  const auto at = [&](size_t i) { return i < size() ? &*children_[i] : nullptr; };
  for (size_t i = 0; i < size();) {
    const Fused fused = run_fused(*children_[i], at(i + 1), at(i + 2), y);
    y = fused.layers ? fused.result : (*children_[i])(y);
    i += std::max<size_t>(fused.layers, 1);
  }
  return y;
}

}  // namespace tapetum::nn
