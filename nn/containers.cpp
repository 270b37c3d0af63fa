#include "nn/containers.h"

#include <fmt/core.h>

#include "core/error.h"

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
  for (auto& child : children_) y = (*child)(y);
  return y;
}

}  // namespace tapetum::nn
