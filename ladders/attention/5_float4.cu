// 16 bytes a request, of global and of shared memory. Rows of tiles are four floats longer, so that eight of them lie in different banks.
#include "ladders/attention/attention.h"

namespace tapetum::ladders {
namespace {

constexpr int kQueries = 64, kKeys = 32;                                      // of a tile
constexpr int kDown = kQueries / 4, kAcross = 8, kThreads = kDown * kAcross;  // eight threads share four queries: four keys, eight columns each

// Of the eight threads.
template <class F> __device__ float combine(float value, F f) {
  for (int bits = kAcross / 2; bits; bits /= 2) value = f(value, __shfl_xor_sync(0xffffffff, value, bits));
  return value;
}

__device__ float4& four(float* p) { return *reinterpret_cast<float4*>(p); }
__device__ const float4& four(const float* p) { return *reinterpret_cast<const float4*>(p); }

// Rows from `first` on, zeros behind the last one.
template <int kRows> __device__ void load(float (&tile)[kRows][kWidth + 4], const float* x, int first, int n) {
  for (int i = static_cast<int>(threadIdx.x) * 4; i < kRows * kWidth; i += kThreads * 4) {
    const int r = i / kWidth, c = i % kWidth;
    four(&tile[r][c]) = first + r < n ? four(x + (first + r) * kWidth + c) : float4{};
  }
}

__global__ void attention_kernel(float* o, const float* q, const float* k, const float* v, int n) {
  __shared__ __align__(16) float tile_q[kQueries][kWidth + 4], tile_k[kKeys][kWidth + 4], tile_v[kKeys][kWidth + 4], weights[kQueries][kKeys + 8];
  const int across = static_cast<int>(threadIdx.x) % kAcross, row = static_cast<int>(threadIdx.x) / kAcross;
  const int top_row = static_cast<int>(blockIdx.x) * kQueries;
  const int64_t head = int64_t{blockIdx.y} * n * kWidth;
  load(tile_q, q + head, top_row, n);
  float top[4], sum[4] = {};
  alignas(16) float out[4][8] = {};
  for (float& t : top) t = -INFINITY;
  for (int key = 0; key < n; key += kKeys) {
    load(tile_k, k + head, key, n);
    load(tile_v, v + head, key, n);
    __syncthreads();
    float s[4][4] = {};
    for (int c = 0; c < kWidth; c += 4) {
      alignas(16) float of_q[4][4], of_k[4][4];
#pragma unroll
      for (int i = 0; i < 4; ++i) four(of_q[i]) = four(&tile_q[row + i * kDown][c]), four(of_k[i]) = four(&tile_k[across + i * kAcross][c]);
#pragma unroll
      for (int i = 0; i < 64; ++i) s[i / 16][i / 4 % 4] += of_q[i / 16][i % 4] * of_k[i / 4 % 4][i % 4];
    }
#pragma unroll
    for (int r = 0; r < 4; ++r) {
      float most = -INFINITY;
#pragma unroll
      for (int j = 0; j < 4; ++j) most = fmaxf(most, s[r][j] = key + across + j * kAcross < n ? s[r][j] * kScale : -INFINITY);
      const float before = top[r];
      top[r] = fmaxf(before, combine(most, [](float a, float b) { return fmaxf(a, b); }));
      const float scale = expf(before - top[r]);
      sum[r] *= scale;
      for (float& x : out[r]) x *= scale;
#pragma unroll
      for (int j = 0; j < 4; ++j) sum[r] += weights[row + r * kDown][across + j * kAcross] = expf(s[r][j] - top[r]);
    }
    __syncwarp();
    for (int j = 0; j < kKeys; j += 4) {
      alignas(16) float weight[4][4], of_v[8];
#pragma unroll
      for (int i = 0; i < 4; ++i) four(weight[i]) = four(&weights[row + i * kDown][j]);
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        four(of_v) = four(&tile_v[j + e][across * 4]), four(of_v + 4) = four(&tile_v[j + e][across * 4 + kWidth / 2]);
#pragma unroll
        for (int i = 0; i < 32; ++i) out[i / 8][i % 8] += weight[i / 8][e] * of_v[i % 8];
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < 4; ++r) {
    const float all = combine(sum[r], [](float a, float b) { return a + b; });
    for (float& x : out[r]) x /= all;
    if (top_row + row + r * kDown >= n) continue;
    float4* to = reinterpret_cast<float4*>(o + head + (top_row + row + r * kDown) * kWidth) + across;
    to[0] = four(out[r]), to[kWidth / 8] = four(out[r] + 4);
  }
}

cudaError_t launch(float* o, float*, const float* q, const float* k, const float* v, int heads, int n) {
  return gpu::launch<attention_kernel>({.grid = dim3(cover(n, kQueries), static_cast<unsigned>(heads)), .block = kThreads}, o, q, k, v, n);
}

const Attention step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
