// Fused (Rabe, Staats 2021; Dao et al. 2022): scores of a tile become weights with a running maximum, and are used up where they are.
#include "ladders/attention/attention.h"

namespace tapetum::ladders {
namespace {

constexpr int kWarp = 32, kWarps = 8, kTile = 32;  // of queries and of keys
constexpr int kRows = kTile / kWarps;              // of a warp

template <class F> __device__ float combine(float value, F f) {
  for (int bits = kWarp / 2; bits; bits /= 2) value = f(value, __shfl_xor_sync(0xffffffff, value, bits));
  return value;
}

// A block makes o for 32 queries. A lane has one key of a tile, and two columns of o, for four queries.
__global__ void attention_kernel(float* o, const float* q, const float* k, const float* v, int n) {
  __shared__ float tile_q[kTile][kWidth], tile_k[kTile][kWidth + 1], tile_v[kTile][kWidth], weights[kTile][kTile];
  const int lane = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y) * kRows, top_row = static_cast<int>(blockIdx.x) * kTile;
  const int64_t first = int64_t{blockIdx.y} * n;
  for (int r = row; r < row + kRows; ++r)
    for (int c = lane; c < kWidth; c += kWarp) tile_q[r][c] = top_row + r < n ? q[(first + top_row + r) * kWidth + c] : 0;
  float top[kRows], sum[kRows] = {}, out[kRows][2] = {};
  for (float& t : top) t = -INFINITY;
  for (int key = 0; key < n; key += kTile) {
    for (int r = row; r < row + kRows; ++r)
      for (int c = lane; c < kWidth; c += kWarp) {
        tile_k[r][c] = key + r < n ? k[(first + key + r) * kWidth + c] : 0;
        tile_v[r][c] = key + r < n ? v[(first + key + r) * kWidth + c] : 0;
      }
    __syncthreads();
    float s[kRows] = {};
    for (int c = 0; c < kWidth; ++c) {
      const float k_lane = tile_k[lane][c];
      for (int r = 0; r < kRows; ++r) s[r] += tile_q[row + r][c] * k_lane;
    }
    // What was summed with the old maximum is scaled to the new one. exp(-infinity) is 0: at the first tile there is nothing to scale.
    for (int r = 0; r < kRows; ++r) {
      s[r] = key + lane < n ? s[r] * kScale : -INFINITY;
      const float before = top[r];
      top[r] = fmaxf(before, combine(s[r], [](float a, float b) { return fmaxf(a, b); }));
      const float scale = expf(before - top[r]), weight = expf(s[r] - top[r]);
      sum[r] = sum[r] * scale + weight;  // of this lane's keys
      for (float& x : out[r]) x *= scale;
      weights[row + r][lane] = weight;
    }
    __syncwarp();  // a warp reads the weights of its own rows alone
    for (int j = 0; j < kTile; ++j) {
      const float low = tile_v[j][lane], high = tile_v[j][lane + kWarp];
      for (int r = 0; r < kRows; ++r) {
        const float weight = weights[row + r][j];
        out[r][0] += weight * low;
        out[r][1] += weight * high;
      }
    }
    __syncthreads();
  }
  for (int r = 0; r < kRows; ++r) {
    const float all = combine(sum[r], [](float a, float b) { return a + b; });
    for (int c = 0; c < 2; ++c)
      if (top_row + row + r < n) o[(first + top_row + row + r) * kWidth + lane + c * kWarp] = out[r][c] / all;
  }
}

cudaError_t launch(float* o, float*, const float* q, const float* k, const float* v, int heads, int n) {
  return gpu::launch<attention_kernel>({.grid = dim3(cover(n, kTile), static_cast<unsigned>(heads)), .block = dim3(kWarp, kWarps)}, o, q, k, v, n);
}

const Attention step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
