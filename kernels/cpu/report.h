// Reports what is wrong with a kernel's input from many threads.
#pragma once
#include "kernels/fault.h"

namespace tapetum::kernels {
namespace {

// The lowest position stays, whichever thread comes first.
inline void report(Fault* fault, int64_t position, int64_t value) {
  while (__atomic_exchange_n(&fault->lock, 1u, __ATOMIC_ACQUIRE)) {
  }
  if (position < fault->position) {
    fault->position = position;
    fault->value = value;
  }
  __atomic_store_n(&fault->lock, 0u, __ATOMIC_RELEASE);
}

}  // namespace
}  // namespace tapetum::kernels
