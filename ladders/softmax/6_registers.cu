// The row stays in registers: x is read once, and what online saved is not needed any more. Rows that do not fit go through memory.
#include "ladders/softmax/softmax.h"

namespace tapetum::ladders {
namespace {

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;
constexpr int kHeld = 32;  // values of a lane: rows of 1024

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
  float held[kHeld], top = -INFINITY, sum = 0;
#pragma unroll  // so that each held[k] is a register
  for (int k = 0; k < kHeld; ++k) {
    held[k] = lane + k * kWarp < length ? x[lane + k * kWarp] : -INFINITY;
    top = fmaxf(top, held[k]);
  }
  constexpr int kFit = kHeld * kWarp;
  for (int i = kFit + lane; i < length; i += kWarp) top = fmaxf(top, x[i]);
  top = combine(top, [](float a, float b) { return fmaxf(a, b); });
#pragma unroll
  for (int k = 0; k < kHeld; ++k) sum += held[k] = expf(held[k] - top);
  for (int i = kFit + lane; i < length; i += kWarp) sum += expf(x[i] - top);
  sum = combine(sum, [](float a, float b) { return a + b; });
#pragma unroll
  for (int k = 0; k < kHeld; ++k)
    if (lane + k * kWarp < length) y[lane + k * kWarp] = held[k] / sum;
  for (int i = kFit + lane; i < length; i += kWarp) y[i] = expf(x[i] - top) / sum;
}

cudaError_t launch(float* y, const float* x, int rows, int length) {
  return gpu::launch<softmax_kernel>({.grid = static_cast<unsigned>(rows + kWarps - 1) / kWarps, .block = kThreads}, y, x, rows, length);
}

const Softmax step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
