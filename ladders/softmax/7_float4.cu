// 16 bytes a lane where rows begin at a multiple of 16: a quarter of the requests carry the same bytes.
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

// V is float4, or float where a row may begin at any float.
template <class V> __global__ void softmax_kernel(float* y, const float* x, int rows, int length) {
  constexpr int kEach = sizeof(V) / sizeof(float), kStep = kWarp * kEach;
  const int row = static_cast<int>(blockIdx.x * kWarps + threadIdx.x / kWarp), lane = static_cast<int>(threadIdx.x) % kWarp;
  if (row >= rows) return;
  x += int64_t{row} * length;
  y += int64_t{row} * length;
  alignas(V) float held[kHeld];
  float top = -INFINITY, sum = 0;
  const int first = lane * kEach;
#pragma unroll
  for (int k = 0; k < kHeld; ++k) held[k] = -INFINITY;
#pragma unroll
  for (int k = 0; k < kHeld / kEach; ++k)
    if (first + k * kStep < length) *reinterpret_cast<V*>(held + k * kEach) = *reinterpret_cast<const V*>(x + first + k * kStep);
  constexpr int kFit = kHeld * kWarp;
#pragma unroll
  for (int k = 0; k < kHeld; ++k) top = fmaxf(top, held[k]);
  for (int i = kFit + lane; i < length; i += kWarp) top = fmaxf(top, x[i]);
  top = combine(top, [](float a, float b) { return fmaxf(a, b); });
#pragma unroll
  for (int k = 0; k < kHeld; ++k) sum += held[k] = expf(held[k] - top);
  for (int i = kFit + lane; i < length; i += kWarp) sum += expf(x[i] - top);
  sum = combine(sum, [](float a, float b) { return a + b; });
#pragma unroll
  for (int k = 0; k < kHeld; ++k) held[k] /= sum;
#pragma unroll
  for (int k = 0; k < kHeld / kEach; ++k)
    if (first + k * kStep < length) *reinterpret_cast<V*>(y + first + k * kStep) = *reinterpret_cast<V*>(held + k * kEach);
  for (int i = kFit + lane; i < length; i += kWarp) y[i] = expf(x[i] - top) / sum;
}

cudaError_t launch(float* y, const float* x, int rows, int length) {
  const gpu::Launch at{.grid = static_cast<unsigned>(rows + kWarps - 1) / kWarps, .block = kThreads};
  return length % 4 ? gpu::launch<softmax_kernel<float>>(at, y, x, rows, length) : gpu::launch<softmax_kernel<float4>>(at, y, x, rows, length);
}

const Softmax step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
