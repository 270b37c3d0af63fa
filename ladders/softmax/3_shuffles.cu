// The lanes of a warp combine through registers, by shuffles; shared memory carries one value a warp, and two barriers are left of ten.
#include "ladders/softmax/softmax.h"

namespace tapetum::ladders {
namespace {

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;

// Of all threads of the block, for all of them.
template <class F> __device__ float combine(float* values, float value, F f) {
  for (int bits = kWarp / 2; bits; bits /= 2) value = f(value, __shfl_xor_sync(0xffffffff, value, bits));
  if (threadIdx.x % kWarp == 0) values[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = values[threadIdx.x % kWarps];
  for (int bits = kWarps / 2; bits; bits /= 2) value = f(value, __shfl_xor_sync(0xffffffff, value, bits));
  __syncthreads();  // before another call overwrites them
  return value;
}

__global__ void softmax_kernel(float* y, const float* x, int length) {
  x += int64_t{blockIdx.x} * length;
  y += int64_t{blockIdx.x} * length;
  __shared__ float values[kWarps];
  float top = -INFINITY, sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < length; i += kThreads) top = fmaxf(top, x[i]);
  top = combine(values, top, [](float a, float b) { return fmaxf(a, b); });
  for (int i = static_cast<int>(threadIdx.x); i < length; i += kThreads) sum += expf(x[i] - top);
  sum = combine(values, sum, [](float a, float b) { return a + b; });
  for (int i = static_cast<int>(threadIdx.x); i < length; i += kThreads) y[i] = expf(x[i] - top) / sum;
}

cudaError_t launch(float* y, const float* x, int rows, int length) {
  return gpu::launch<softmax_kernel>({.grid = static_cast<unsigned>(rows), .block = kThreads}, y, x, length);
}

const Softmax step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
