// Two buffers, filled by cp.async: the next tiles are on their way while these are multiplied, past the registers, and one barrier does for two.
#include "kernels/cuda/gpu/ptx.cuh"
#include "ladders/gemm/gemm.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 128, kDepth = 8;
constexpr int kEach = 8, kAcross = kTile / kEach;  // 16 x 16 threads
constexpr int kThreads = kAcross * kAcross;
static_assert(kTile * kDepth == 4 * kThreads);  // one float4 of a and one of b a thread

// Starts to copy four neighbours in a row of x [rows, columns], zeros outside: at once where rows begin at a multiple of 16 bytes.
template <bool aligned> __device__ void copy(float4& to, const float* x, int row, int column, int rows, int columns) {
  constexpr int kPart = aligned ? 4 : 1;
#pragma unroll
  for (int q = 0; q < 4; q += kPart) {
    const bool inside = row < rows && column + q < columns;
    ptx::cp_async<kPart * 4>(reinterpret_cast<float*>(&to) + q, inside ? x + row * columns + column + q : x, inside);
  }
}

template <bool aligned> __device__ void store(float* x, int row, int column, int rows, int columns, const float (&v)[4]) {
  if (row >= rows) return;
  if constexpr (aligned) {
    if (column < columns) *reinterpret_cast<float4*>(x + row * columns + column) = make_float4(v[0], v[1], v[2], v[3]);
  } else {
#pragma unroll
    for (int q = 0; q < 4; ++q)
      if (column + q < columns) x[row * columns + column + q] = v[q];
  }
}

template <bool aligned> __global__ void __launch_bounds__(kThreads, 2) gemm_kernel(float* c, const float* a, const float* b, int m, int n, int k) {
  __shared__ float4 as[2][kTile][kDepth / 4], bs[2][kDepth][kTile / 4];
  const int thread = static_cast<int>(threadIdx.x), tx = thread % kAcross, ty = thread / kAcross;
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;
  const int i_of_a = thread / 2, l_of_a = thread % 2, l_of_b = thread / 32, j_of_b = thread % 32;
  const auto start = [&](int first, int buffer) {
    copy<aligned>(as[buffer][i_of_a][l_of_a], a, top + i_of_a, first + l_of_a * 4, m, k);
    copy<aligned>(bs[buffer][l_of_b][j_of_b], b, first + l_of_b, left + j_of_b * 4, k, n);
    ptx::cp_async_commit();
  };
  float sums[kEach][2][4] = {};  // rows 16 apart, columns 4 tx + 0..3 of both halves
  start(0, 0);
  for (int first = 0, now = 0; first < k; first += kDepth, now ^= 1) {
    ptx::cp_async_wait<0>();
    __syncthreads();  // everybody's part of this buffer is there, and nobody reads the other one any more
    if (first + kDepth < k) start(first + kDepth, now ^ 1);
#pragma unroll
    for (int four = 0; four < kDepth / 4; ++four) {
      alignas(16) float x[kEach][4], y[2][4];
#pragma unroll
      for (int i = 0; i < kEach; ++i) *reinterpret_cast<float4*>(x[i]) = as[now][ty + i * kAcross][four];
#pragma unroll
      for (int l = 0; l < 4; ++l) {
#pragma unroll
        for (int h = 0; h < 2; ++h) *reinterpret_cast<float4*>(y[h]) = bs[now][four * 4 + l][tx + h * kAcross];
#pragma unroll
        for (int i = 0; i < kEach; ++i)
#pragma unroll
          for (int j = 0; j < 8; ++j) sums[i][j / 4][j % 4] += x[i][l] * y[j / 4][j % 4];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kEach; ++i)
#pragma unroll
    for (int h = 0; h < 2; ++h) store<aligned>(c, top + ty + i * kAcross, left + (tx + h * kAcross) * 4, m, n, sums[i][h]);
}

cudaError_t launch(float* c, const float* a, const float* b, int m, int n, int k) {
  const gpu::Launch at{.grid = dim3(cover(n, kTile), cover(m, kTile)), .block = kThreads};
  return n % 4 || k % 4 ? gpu::launch<gemm_kernel<false>>(at, c, a, b, m, n, k) : gpu::launch<gemm_kernel<true>>(at, c, a, b, m, n, k);
}

const Gemm step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
