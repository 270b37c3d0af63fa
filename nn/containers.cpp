#include "nn/containers.h"

#include <fmt/core.h>

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
  for (size_t i = 0; i < size(); ++i) {
    const Tensor fused = i + 1 < size() ? run_fused(*children_[i], *children_[i + 1], y) : Tensor();
    i += fused.defined();
    y = fused.defined() ? fused : (*children_[i])(y);
  }
  return y;
}

}  // namespace tapetum::nn
