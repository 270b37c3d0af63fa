// Online (Milakov, Gimelshein 2018): maximum and sum in one pass, the sum rescaled when the maximum grows. x is read twice, not three times.
#include "ladders/softmax/softmax.h"

namespace tapetum::ladders {
namespace {

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;

struct State {
  float top, sum;  // the greatest value so far, and the sum of exp(value - top)
};

__device__ State combine(State a, State b) {
  const float top = fmaxf(a.top, b.top);
  if (top == -INFINITY) return a;  // two of nothing
  return {top, a.sum * expf(a.top - top) + b.sum * expf(b.top - top)};
}

// Of all lanes of the warp, for all of them.
__device__ State combine_lanes(State s) {
  for (int bits = kWarp / 2; bits; bits /= 2) s = combine(s, {__shfl_xor_sync(0xffffffff, s.top, bits), __shfl_xor_sync(0xffffffff, s.sum, bits)});
  return s;
}

__global__ void softmax_kernel(float* y, const float* x, int rows, int length) {
  const int row = static_cast<int>(blockIdx.x * kWarps + threadIdx.x / kWarp), lane = static_cast<int>(threadIdx.x) % kWarp;
  if (row >= rows) return;
  x += int64_t{row} * length;
  y += int64_t{row} * length;
  State s{-INFINITY, 0};
  for (int i = lane; i < length; i += kWarp) s = combine(s, {x[i], 1});
  s = combine_lanes(s);
  for (int i = lane; i < length; i += kWarp) y[i] = expf(x[i] - s.top) / s.sum;
}

cudaError_t launch(float* y, const float* x, int rows, int length) {
  return gpu::launch<softmax_kernel>({.grid = static_cast<unsigned>(rows + kWarps - 1) / kWarps, .block = kThreads}, y, x, rows, length);
}

const Softmax step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
