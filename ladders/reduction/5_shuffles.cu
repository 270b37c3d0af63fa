// Within a warp the tree goes through registers, by shuffles: one barrier is left of nine, and one shared access a warp.
#include "ladders/reduction/reduction.h"

namespace tapetum::ladders {
namespace {

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;

__device__ float sum_lanes(float value, int lanes) {
  for (int bits = lanes / 2; bits; bits /= 2) value += __shfl_xor_sync(0xffffffff, value, bits);
  return value;
}

__global__ void sum_kernel(float* y, const float* x, int n) {
  __shared__ float values[kWarps];
  const int thread = static_cast<int>(threadIdx.x), i = static_cast<int>(blockIdx.x) * kThreads + thread;
  const float sum = sum_lanes(i < n ? x[i] : 0, kWarp);
  if (thread % kWarp == 0) values[thread / kWarp] = sum;
  __syncthreads();
  if (thread >= kWarp) return;
  const float total = sum_lanes(values[thread % kWarps], kWarps);
  if (thread == 0) atomicAdd(y, total);
}

cudaError_t launch(float* y, float*, const float* x, int n) {
  const cudaError_t zeroed = cudaMemsetAsync(y, 0, sizeof *y, nullptr);
  const unsigned blocks = static_cast<unsigned>(n + kThreads - 1) / kThreads;
  return zeroed == cudaSuccess ? gpu::launch<sum_kernel>({.grid = blocks, .block = kThreads}, y, x, n) : zeroed;
}

const Reduction step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
