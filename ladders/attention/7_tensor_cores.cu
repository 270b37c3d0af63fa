// Tensor cores: each float is the sum of two tf32, each product three (3xTF32, CUTLASS 2.8). Weights stay in registers (FlashAttention-2, 2023).
#include "kernels/cuda/gpu/ptx.cuh"
#include "ladders/attention/attention.h"

namespace tapetum::ladders {
namespace {

constexpr int kQueries = 64, kKeys = 32, kThreads = 128;  // of a tile; a warp has 16 queries

template <int N> struct Parts {
  uint32_t big[N], small[N];
  __device__ Parts(const float (&x)[N]) {
#pragma unroll
    for (int i = 0; i < N; ++i) big[i] = ptx::cvt_tf32(x[i]), small[i] = ptx::cvt_tf32(x[i] - __uint_as_float(big[i]));
  }
};
// d [16, 8] += a [16, 8] b [8, 8], without the product of both small parts, which a float would not notice.
__device__ void multiply(float (&d)[4], const Parts<4>& a, const Parts<2>& b) {
  ptx::mma_m16n8k8_tf32(d, a.small, b.big);
  ptx::mma_m16n8k8_tf32(d, a.big, b.small);
  ptx::mma_m16n8k8_tf32(d, a.big, b.big);
}

__global__ void attention_kernel(float* o, const float* q, const float* k, const float* v, int n) {
  // Lanes read k[lane / 4][lane % 4 * 2] and v[lane % 4 * 2][lane / 4]: of the lengths of these rows, both from different banks.
  __shared__ __align__(16) float tiles_k[2][kKeys][kWidth + 8], tiles_v[2][kKeys][kWidth + 4];
  const int lane = static_cast<int>(threadIdx.x) % 32, row = lane / 4, pair = lane % 4 * 2;
  const int query = static_cast<int>(blockIdx.x) * kQueries + static_cast<int>(threadIdx.x) / 32 * 16 + row;  // and the one eight rows below
  const int64_t head = int64_t{blockIdx.y} * n * kWidth;
  const auto start = [&](int first, int buffer) {
    for (int i = static_cast<int>(threadIdx.x) * 4; i < kKeys * kWidth; i += kThreads * 4) {
      const bool valid = first + i / kWidth < n;
      const int64_t from = valid ? head + first * kWidth + i : 0;
      ptx::cp_async<16>(&tiles_k[buffer][i / kWidth][i % kWidth], k + from, valid);
      ptx::cp_async<16>(&tiles_v[buffer][i / kWidth][i % kWidth], v + from, valid);
    }
    ptx::cp_async_commit();
  };
  start(0, 0);
  // Columns of a and rows of b may be in any order, if it is the same. Lane t of four has numbers 2 t and 2 t + 1 of each eight, not t and
  // t + 4: neighbours in memory, and those that a product leaves to it.
  float of_q[8][4], out[8][4] = {}, top[2] = {-INFINITY, -INFINITY}, sum[2] = {};
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    const int at = query + i % 2 * 8;
    const float2 two = at < n ? *reinterpret_cast<const float2*>(q + head + at * kWidth + i / 2 * 8 + pair) : float2{};
    of_q[i / 2][i % 2] = two.x * kScale, of_q[i / 2][i % 2 + 2] = two.y * kScale;
  }
  for (int key = 0; key < n; key += kKeys) {
    const int buffer = key / kKeys % 2;
    ptx::cp_async_wait<0>();
    __syncthreads();
    if (key + kKeys < n) start(key + kKeys, !buffer);
    float s[4][4] = {};
#pragma unroll
    for (int c = 0; c < 8; ++c) {
      const Parts<4> a(of_q[c]);
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float2 b = *reinterpret_cast<const float2*>(&tiles_k[buffer][j * 8 + row][c * 8 + pair]);
        multiply(s[j], a, Parts<2>({b.x, b.y}));
      }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {  // s[j][2 * half + e] is the score of key j * 8 + pair + e
      const float before = top[half];
      for (int i = 0; i < 8; ++i)
        if (key + i / 2 * 8 + pair + i % 2 >= n) s[i / 2][2 * half + i % 2] = -INFINITY;
      for (int j = 0; j < 4; ++j) top[half] = fmaxf(top[half], fmaxf(s[j][2 * half], s[j][2 * half + 1]));
      for (int bits = 1; bits < 4; bits *= 2) top[half] = fmaxf(top[half], __shfl_xor_sync(0xffffffff, top[half], bits));
      const float scale = expf(before - top[half]);
      sum[half] *= scale;
      for (int i = 0; i < 16; ++i) out[i / 2][2 * half + i % 2] *= scale;
      for (int i = 0; i < 8; ++i) sum[half] += s[i / 2][2 * half + i % 2] = expf(s[i / 2][2 * half + i % 2] - top[half]);
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const Parts<4> a({s[j][0], s[j][2], s[j][1], s[j][3]});
      const float* of_v = &tiles_v[buffer][j * 8 + pair][row];
#pragma unroll
      for (int c = 0; c < 8; ++c) multiply(out[c], a, Parts<2>({of_v[c * 8], of_v[c * 8 + kWidth + 4]}));
    }
  }
  for (int half = 0; half < 2; ++half) {
    for (int bits = 1; bits < 4; bits *= 2) sum[half] += __shfl_xor_sync(0xffffffff, sum[half], bits);
    float2* to = reinterpret_cast<float2*>(o + head + (query + half * 8) * kWidth) + lane % 4;
    for (int c = 0; c < 8; ++c)
      if (query + half * 8 < n) to[c * 4] = make_float2(out[c][2 * half] / sum[half], out[c][2 * half + 1] / sum[half]);
  }
}

cudaError_t launch(float* o, float*, const float* q, const float* k, const float* v, int heads, int n) {
  return gpu::launch<attention_kernel>({.grid = dim3(cover(n, kQueries), static_cast<unsigned>(heads)), .block = kThreads}, o, q, k, v, n);
}

const Attention step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
