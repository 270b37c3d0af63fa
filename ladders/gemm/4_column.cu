// A thread sums eight elements of a column in registers: what it reads of b serves eight rows. Nine shared loads for eight products, not sixteen.
#include "ladders/gemm/gemm.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 64, kDepth = 8;  // a block's part of c is 64 x 64, and passes along k in pieces of 8
constexpr int kRows = 8;               // of a thread
constexpr int kThreads = kTile * kTile / kRows;

__global__ void __launch_bounds__(kThreads) gemm_kernel(float* c, const float* a, const float* b, int m, int n, int k) {
  __shared__ float as[kTile][kDepth], bs[kDepth][kTile];  // 512 numbers each: one of both a thread
  const int thread = static_cast<int>(threadIdx.x), tx = thread % kTile, ty = thread / kTile;
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;
  const int i = top + thread / kDepth, l_of_a = thread % kDepth, j = left + tx;
  float sums[kRows] = {};
  for (int first = 0; first < k; first += kDepth) {
    as[thread / kDepth][l_of_a] = i < m && first + l_of_a < k ? a[i * k + first + l_of_a] : 0;
    bs[ty][tx] = first + ty < k && j < n ? b[(first + ty) * n + j] : 0;
    __syncthreads();
    for (int l = 0; l < kDepth; ++l) {
      const float y = bs[l][tx];
#pragma unroll  // so that each sums[r] is a register
      for (int r = 0; r < kRows; ++r) sums[r] += as[ty * kRows + r][l] * y;
    }
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < kRows; ++r)
    if (const int row = top + ty * kRows + r; row < m && j < n) c[row * n + j] = sums[r];
}

cudaError_t launch(float* c, const float* a, const float* b, int m, int n, int k) {
  return gpu::launch<gemm_kernel>({.grid = dim3(cover(n, kTile), cover(m, kTile)), .block = kThreads}, c, a, b, m, n, k);
}

const Gemm step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
