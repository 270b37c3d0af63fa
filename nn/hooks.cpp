#include "nn/hooks.h"

namespace tapetum::nn {

void HookHandle::remove() {
  if (const auto table = table_.lock()) {
    std::erase_if(table->before, [&](const auto& hook) { return hook.first == id_; });
    std::erase_if(table->after, [&](const auto& hook) { return hook.first == id_; });
  }
}

}  // namespace tapetum::nn
