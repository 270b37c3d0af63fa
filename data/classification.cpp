#include "data/classification.h"

#include <fmt/core.h>

#include "core/error.h"

namespace tapetum::data {

Tensor label_tensor(int64_t label) {
  Tensor t = empty({}, DType::i64);
  *t.mutable_data<int64_t>() = label;
  return t;
}

std::vector<std::string> numbered_classes(int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

std::vector<int64_t> class_counts(const std::vector<int64_t>& labels, int64_t classes) {
  std::vector<int64_t> counts(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes)
      throw IndexError(fmt::format("class_counts: expected labels below {}, got {} for sample {}", classes, labels[i], i));
    ++counts[static_cast<size_t>(labels[i])];
  }
  return counts;
}

}  // namespace tapetum::data
