// Samples to a batch: every tensor that the sample names in fields() is stacked along a new first dimension.
#pragma once
#include <type_traits>
#include <vector>

#include "core/tensor.h"

namespace tapetum::data {

// `field` is for errors. Undefined when it is so in every sample. Throws ShapeError unless all are defined and have one shape and dtype.
Tensor stack_field(const char* field, const std::vector<Tensor>& values);

template <class Sample> Sample collate(const std::vector<Sample>& samples) {
  Sample batch{};
  std::vector<std::vector<Tensor>> columns;
  for (const Sample& sample : samples) {
    size_t column = 0;
    Sample::fields(sample, [&](const char*, const auto& value) {
      static_assert(std::is_same_v<std::decay_t<decltype(value)>, Tensor>, "a sample's fields() names tensors: tensor({x}) holds a number");
      if (column == columns.size()) columns.emplace_back();
      columns[column++].push_back(value);
    });
  }
  size_t column = 0;
  if (!samples.empty()) Sample::fields(batch, [&](const char* name, Tensor& value) { value = stack_field(name, columns[column++]); });
  return batch;
}

}  // namespace tapetum::data
