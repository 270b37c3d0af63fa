#include "data/collate.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace tapetum::data {

Tensor stack_field(const char* field, const std::vector<Tensor>& values) {
  const Tensor& first = values.front();
  if (std::none_of(values.begin(), values.end(), [](const Tensor& t) { return t.defined(); })) return {};
  for (const Tensor& t : values) {
    if (!t.defined() || !first.defined()) throw ShapeError(fmt::format("batch: a sample leaves its field '{}' undefined", field));
    if (!(t.shape() == first.shape()) || t.dtype() != first.dtype())
      throw ShapeError(fmt::format("batch: samples must have one shape and dtype in '{}' (resize them, or use batch size 1), got {} {} and {} {}",
                                   field, name_of(first.dtype()), to_string(first.shape()), name_of(t.dtype()), to_string(t.shape())));
    if (!t.is_contiguous() || t.device().kind != DeviceKind::cpu)
      throw ShapeError(fmt::format("batch: field '{}' must be contiguous and on the cpu", field));
  }
  Shape shape{static_cast<int64_t>(values.size())};
  for (int64_t n : first.shape()) shape.push_back(n);
  Tensor result = empty(shape, first.dtype());
  const size_t bytes = static_cast<size_t>(first.numel()) * size_of(first.dtype());
  char* to = static_cast<char*>(result.mutable_raw());
  for (const Tensor& t : values) {
    std::memcpy(to, t.raw(), bytes);
    to += bytes;
  }
  return result;
}

}  // namespace tapetum::data
