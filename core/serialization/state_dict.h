// Named tensors in the order of their names' first appearance: what modules and optimizers save, and files hold.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace tapetum {

class StateDict {
 public:
  using Entry = std::pair<std::string, Tensor>;

  void set(const std::string& name, const Tensor& t);  // replaces, or appends
  const Tensor* find(const std::string& name) const;   // null when absent
  const Tensor& at(const std::string& name) const;     // throws Error naming what is absent
  bool contains(const std::string& name) const { return find(name) != nullptr; }
  size_t size() const { return entries_.size(); }
  const Entry* begin() const { return entries_.data(); }
  const Entry* end() const { return entries_.data() + entries_.size(); }

 private:
  std::vector<Entry> entries_;
  std::map<std::string, size_t> index_;  // of a name in entries_
};

}  // namespace tapetum
