// One warp a row: shuffles are all that its lanes need. No shared memory, no barrier, and no warp waits for another.
#include "ladders/softmax/softmax.h"

namespace tapetum::ladders {
namespace {

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;

// Of all lanes of the warp, for all of them.
template <class F> __device__ float combine(float value, F f) {
  for (int bits = kWarp / 2; bits; bits /= 2) value = f(value, __shfl_xor_sync(0xffffffff, value, bits));
  return value;
}

__global__ void softmax_kernel(float* y, const float* x, int rows, int length) {
  const int row = static_cast<int>(blockIdx.x * kWarps + threadIdx.x / kWarp), lane = static_cast<int>(threadIdx.x) % kWarp;
  if (row >= rows) return;
  x += int64_t{row} * length;
  y += int64_t{row} * length;
  float top = -INFINITY, sum = 0;
  for (int i = lane; i < length; i += kWarp) top = fmaxf(top, x[i]);
  top = combine(top, [](float a, float b) { return fmaxf(a, b); });
  for (int i = lane; i < length; i += kWarp) sum += expf(x[i] - top);
  sum = combine(sum, [](float a, float b) { return a + b; });
  for (int i = lane; i < length; i += kWarp) y[i] = expf(x[i] - top) / sum;
}

cudaError_t launch(float* y, const float* x, int rows, int length) {
  return gpu::launch<softmax_kernel>({.grid = static_cast<unsigned>(rows + kWarps - 1) / kWarps, .block = kThreads}, y, x, rows, length);
}

const Softmax step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
