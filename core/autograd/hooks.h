// Functions on gradients: run once the gradient of a tensor is complete, before it goes on or into .grad.
#pragma once
#include "core/autograd/node.h"

namespace tapetum {

// The hook may return another gradient of the same shape, or an undefined tensor to leave it. Returns an id for remove_hook.
int64_t register_hook(const Tensor& x, GradHook hook);
void remove_hook(const Tensor& x, int64_t id);

// Keeps the gradient of a tensor that is no leaf in its .grad.
void retain_grad(const Tensor& x);

}  // namespace tapetum
