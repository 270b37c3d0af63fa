// Three kernels, as the formula stands: scores, softmax of their rows, product with v. The scores go through memory, n^2 of them a head.
#include "ladders/attention/attention.h"

namespace tapetum::ladders {
namespace {

constexpr int kWarp = 32, kWarps = 8;

// A thread a score. Lanes have neighbouring keys, whose floats lie kWidth apart.
__global__ void scores_kernel(float* s, const float* q, const float* k, int n) {
  const int j = static_cast<int>(blockIdx.x * kWarp + threadIdx.x), i = static_cast<int>(blockIdx.y * kWarps + threadIdx.y);
  const int64_t first = int64_t{blockIdx.z} * n;
  if (i >= n || j >= n) return;
  q += (first + i) * kWidth;
  k += (first + j) * kWidth;
  float sum = 0;
  for (int c = 0; c < kWidth; ++c) sum += q[c] * k[c];
  s[(first + i) * n + j] = sum * kScale;
}

// A warp a row, as in the fourth step of the softmax.
template <class F> __device__ float combine(float value, F f) {
  for (int bits = kWarp / 2; bits; bits /= 2) value = f(value, __shfl_xor_sync(0xffffffff, value, bits));
  return value;
}

__global__ void softmax_kernel(float* s, int rows, int n) {
  const int row = static_cast<int>(blockIdx.x * kWarps + threadIdx.y), lane = static_cast<int>(threadIdx.x);
  if (row >= rows) return;
  s += int64_t{row} * n;
  float top = -INFINITY, sum = 0;
  for (int j = lane; j < n; j += kWarp) top = fmaxf(top, s[j]);
  top = combine(top, [](float a, float b) { return fmaxf(a, b); });
  for (int j = lane; j < n; j += kWarp) sum += expf(s[j] - top);
  sum = combine(sum, [](float a, float b) { return a + b; });
  for (int j = lane; j < n; j += kWarp) s[j] = expf(s[j] - top) / sum;
}

// A thread a float of o.
__global__ void product_kernel(float* o, const float* s, const float* v, int n) {
  const int c = static_cast<int>(blockIdx.x * kWarp + threadIdx.x), i = static_cast<int>(blockIdx.y * kWarps + threadIdx.y);
  const int64_t first = int64_t{blockIdx.z} * n;
  if (i >= n) return;
  s += (first + i) * n;
  v += first * kWidth;
  float sum = 0;
  for (int j = 0; j < n; ++j) sum += s[j] * v[j * kWidth + c];
  o[(first + i) * kWidth + c] = sum;
}

cudaError_t launch(float* o, float* s, const float* q, const float* k, const float* v, int heads, int n) {
  const dim3 block(kWarp, kWarps);
  const unsigned all = static_cast<unsigned>(heads), down = cover(n, kWarps);
  cudaError_t error = gpu::launch<scores_kernel>({.grid = dim3(cover(n, kWarp), down, all), .block = block}, s, q, k, n);
  if (error == cudaSuccess) error = gpu::launch<softmax_kernel>({.grid = cover(heads * n, kWarps), .block = block}, s, heads * n, n);
  return error == cudaSuccess ? gpu::launch<product_kernel>({.grid = dim3(kWidth / kWarp, down, all), .block = block}, o, s, v, n) : error;
}

const Attention step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
