// A thread sums 8 x 8 elements: sixteen shared loads for 64 products. The block's part of c grows to 128 x 128, and global reads halve.
#include "ladders/gemm/gemm.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 128, kDepth = 8;
constexpr int kEach = 8, kAcross = kTile / kEach;  // 16 x 16 threads
constexpr int kThreads = kAcross * kAcross, kLoads = kTile * kDepth / kThreads;

__global__ void __launch_bounds__(kThreads) gemm_kernel(float* c, const float* a, const float* b, int m, int n, int k) {
  __shared__ float as[kTile][kDepth], bs[kDepth][kTile];
  const int thread = static_cast<int>(threadIdx.x), tx = thread % kAcross, ty = thread / kAcross;
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;
  float sums[kEach][kEach] = {};
  for (int first = 0; first < k; first += kDepth) {
#pragma unroll
    for (int q = 0; q < kLoads; ++q) {
      const int at = thread + q * kThreads, i = at / kDepth, l_of_a = at % kDepth, j = at % kTile, l_of_b = at / kTile;
      as[i][l_of_a] = top + i < m && first + l_of_a < k ? a[(top + i) * k + first + l_of_a] : 0;
      bs[l_of_b][j] = first + l_of_b < k && left + j < n ? b[(first + l_of_b) * n + left + j] : 0;
    }
    __syncthreads();
#pragma unroll
    for (int l = 0; l < kDepth; ++l) {
      float x[kEach], y[kEach];  // 16 rows and columns apart, so that lanes are neighbours
#pragma unroll
      for (int i = 0; i < kEach; ++i) x[i] = as[ty + i * kAcross][l];
#pragma unroll
      for (int j = 0; j < kEach; ++j) y[j] = bs[l][tx + j * kAcross];
#pragma unroll
      for (int i = 0; i < kEach; ++i)
#pragma unroll
        for (int j = 0; j < kEach; ++j) sums[i][j] += x[i] * y[j];
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < kEach; ++i)
#pragma unroll
    for (int j = 0; j < kEach; ++j)
      if (const int row = top + ty + i * kAcross, column = left + tx + j * kAcross; row < m && column < n) c[row * n + column] = sums[i][j];
}

cudaError_t launch(float* c, const float* a, const float* b, int m, int n, int k) {
  return gpu::launch<gemm_kernel>({.grid = dim3(cover(n, kTile), cover(m, kTile)), .block = kThreads}, c, a, b, m, n, k);
}

const Gemm step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
