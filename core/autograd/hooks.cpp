#include "core/autograd/hooks.h"

#include <algorithm>
#include <atomic>

#include "core/error.h"

namespace tapetum {
namespace {

Ref<HookList>& hooks_of(const Tensor& x) { return x.impl().grad_fn ? x.impl().grad_fn->hooks : x.impl().hooks; }

void check_recorded(const char* op, const Tensor& x) {
  if (!x.requires_grad()) throw AutogradError(std::string(op) + ": the tensor does not require gradients");
}

}  // namespace

int64_t register_hook(const Tensor& x, GradHook hook) {
  static std::atomic<int64_t> next{0};
  check_recorded("register_hook", x);
  Ref<HookList>& list = hooks_of(x);
  if (!list) list = make_ref<HookList>();
  list->entries.push_back({next++, x.impl().output, std::move(hook)});
  return list->entries.back().id;
}

void remove_hook(const Tensor& x, int64_t id) {
  if (Ref<HookList>& list = hooks_of(x)) std::erase_if(list->entries, [&](const auto& e) { return e.id == id; });
}

void retain_grad(const Tensor& x) {
  check_recorded("retain_grad", x);
  TensorImpl& impl = x.impl();
  if (!impl.grad_fn || impl.retains_grad) return;
  impl.retains_grad = true;
  impl.grad_fn->retains.push_back(&impl);
}

}  // namespace tapetum
