// The first threads add, so that whole warps work or rest. But lanes are now 2, 4, ... floats apart: bank conflicts.
#include "ladders/reduction/reduction.h"

namespace tapetum::ladders {
namespace {

constexpr int kThreads = 256;

__global__ void sum_kernel(float* y, const float* x, int n) {
  __shared__ float values[kThreads];
  const int thread = static_cast<int>(threadIdx.x), i = static_cast<int>(blockIdx.x) * kThreads + thread;
  values[thread] = i < n ? x[i] : 0;
  __syncthreads();
  for (int distance = 1; distance < kThreads; distance *= 2) {
    const int at = 2 * distance * thread;
    if (at < kThreads) values[at] += values[at + distance];
    __syncthreads();
  }
  if (thread == 0) atomicAdd(y, values[0]);
}

cudaError_t launch(float* y, float*, const float* x, int n) {
  const cudaError_t zeroed = cudaMemsetAsync(y, 0, sizeof *y, nullptr);
  const unsigned blocks = static_cast<unsigned>(n + kThreads - 1) / kThreads;
  return zeroed == cudaSuccess ? gpu::launch<sum_kernel>({.grid = blocks, .block = kThreads}, y, x, n) : zeroed;
}

const Reduction step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
