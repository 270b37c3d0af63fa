// Both products by tiles in shared memory: 32 queries share each key and each value. Half of the traffic that is left is scores.
#include "ladders/attention/attention.h"

namespace tapetum::ladders {
namespace {

constexpr int kWarp = 32, kWarps = 8, kTile = 32;  // of queries and of keys
constexpr int kRows = kTile / kWarps;              // of a warp

// A lane has a key and four queries.
__global__ void scores_kernel(float* s, const float* q, const float* k, int n) {
  __shared__ float tile_q[kTile][kWidth], tile_k[kTile][kWidth + 1];  // a column of keys lies in 32 banks
  const int lane = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y) * kRows;
  const int left = static_cast<int>(blockIdx.x) * kTile, top = static_cast<int>(blockIdx.y) * kTile;
  const int64_t first = int64_t{blockIdx.z} * n;
  for (int r = row; r < row + kRows; ++r)
    for (int c = lane; c < kWidth; c += kWarp) {
      tile_q[r][c] = top + r < n ? q[(first + top + r) * kWidth + c] : 0;
      tile_k[r][c] = left + r < n ? k[(first + left + r) * kWidth + c] : 0;
    }
  __syncthreads();
  float sum[kRows] = {};
  for (int c = 0; c < kWidth; ++c) {
    const float key = tile_k[lane][c];
    for (int r = 0; r < kRows; ++r) sum[r] += tile_q[row + r][c] * key;
  }
  for (int r = 0; r < kRows; ++r)
    if (top + row + r < n && left + lane < n) s[(first + top + row + r) * n + left + lane] = sum[r] * kScale;
}

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

// A lane has two columns of four queries.
__global__ void product_kernel(float* o, const float* s, const float* v, int n) {
  __shared__ float tile_s[kTile][kTile], tile_v[kTile][kWidth];
  const int lane = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y) * kRows, top = static_cast<int>(blockIdx.y) * kTile;
  const int64_t first = int64_t{blockIdx.z} * n;
  float sum[kRows][2] = {};
  for (int key = 0; key < n; key += kTile) {
    for (int r = row; r < row + kRows; ++r) {
      tile_s[r][lane] = top + r < n && key + lane < n ? s[(first + top + r) * n + key + lane] : 0;
      for (int c = lane; c < kWidth; c += kWarp) tile_v[r][c] = key + r < n ? v[(first + key + r) * kWidth + c] : 0;
    }
    __syncthreads();
    for (int j = 0; j < kTile; ++j) {
      const float low = tile_v[j][lane], high = tile_v[j][lane + kWarp];
      for (int r = 0; r < kRows; ++r) {
        const float weight = tile_s[row + r][j];
        sum[r][0] += weight * low;
        sum[r][1] += weight * high;
      }
    }
    __syncthreads();
  }
  for (int r = 0; r < kRows; ++r)
    for (int c = 0; c < 2; ++c)
      if (top + row + r < n) o[(first + top + row + r) * kWidth + lane + c * kWarp] = sum[r][c];
}

cudaError_t launch(float* o, float* s, const float* q, const float* k, const float* v, int heads, int n) {
  const dim3 block(kWarp, kWarps);
  const unsigned all = static_cast<unsigned>(heads), tiles = cover(n, kTile);
  cudaError_t error = gpu::launch<scores_kernel>({.grid = dim3(tiles, tiles, all), .block = block}, s, q, k, n);
  if (error == cudaSuccess) error = gpu::launch<softmax_kernel>({.grid = cover(heads * n, kWarps), .block = block}, s, heads * n, n);
  return error == cudaSuccess ? gpu::launch<product_kernel>({.grid = dim3(1, tiles, all), .block = block}, o, s, v, n) : error;
}

const Attention step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
