// Reports what is wrong with a kernel's input into memory that the host reads when it next waits for the device: nothing waits here.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "kernels/fault.h"

namespace tapetum::kernels {
namespace {

// The lowest position stays with its value, whichever thread comes first. Only one that lowers it takes the lock, and writes its value if
// nobody has gone below it since.
__device__ inline void report(Fault* fault, int64_t position, int64_t value) {
  auto* lowest = reinterpret_cast<long long*>(&fault->position);
  if (atomicMin(lowest, position) <= position) return;
  while (atomicCAS(&fault->lock, 0u, 1u) != 0) __nanosleep(64);
  __threadfence();
  if (atomicMin(lowest, position) == position)
    atomicExch(reinterpret_cast<unsigned long long*>(&fault->value), static_cast<unsigned long long>(value));
  __threadfence();
  atomicExch(&fault->lock, 0u);
}

}  // namespace
}  // namespace tapetum::kernels
