// Functions that run around a module's forward, in the order of their registration. They may replace tensors in the lists.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "core/function.h"
#include "core/tensor.h"

namespace tapetum::nn {

class Module;

using ForwardPreHook = Function<void(Module&, std::vector<Tensor>& inputs)>;
using ForwardHook = Function<void(Module&, const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs)>;

struct HookTable {
  std::vector<std::pair<int, ForwardPreHook>> before;
  std::vector<std::pair<int, ForwardHook>> after;
  int next = 0;
};

// Takes its hook away again; harmless when the module is gone.
class HookHandle {
 public:
  HookHandle() = default;
  HookHandle(const std::shared_ptr<HookTable>& table, int id) : table_(table), id_(id) {}
  void remove();

 private:
  std::weak_ptr<HookTable> table_;
  int id_ = -1;
};

}  // namespace tapetum::nn
