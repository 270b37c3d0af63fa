// 16 bytes an access, in global and in shared memory: of b four columns, of a four steps of a row at once. A quarter of the requests.
#include "ladders/gemm/gemm.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 128, kDepth = 8;
constexpr int kEach = 8, kAcross = kTile / kEach;  // 16 x 16 threads
constexpr int kThreads = kAcross * kAcross;
static_assert(kTile * kDepth == 4 * kThreads);  // one float4 of a and one of b a thread

// Four neighbours in a row of x [rows, columns], zeros outside: at once where rows begin at a multiple of 16 bytes.
template <bool aligned> __device__ float4 load(const float* x, int row, int column, int rows, int columns) {
  if (row >= rows || column >= columns) return make_float4(0, 0, 0, 0);
  const float* from = x + row * columns + column;
  if constexpr (aligned) return *reinterpret_cast<const float4*>(from);
  const int rest = columns - column;
  return make_float4(from[0], rest > 1 ? from[1] : 0, rest > 2 ? from[2] : 0, rest > 3 ? from[3] : 0);
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
  __shared__ float4 as[kTile][kDepth / 4], bs[kDepth][kTile / 4];
  const int thread = static_cast<int>(threadIdx.x), tx = thread % kAcross, ty = thread / kAcross;
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;
  const int i_of_a = thread / 2, l_of_a = thread % 2, l_of_b = thread / 32, j_of_b = thread % 32;
  float sums[kEach][2][4] = {};  // rows 16 apart, columns 4 tx + 0..3 of both halves
  for (int first = 0; first < k; first += kDepth) {
    as[i_of_a][l_of_a] = load<aligned>(a, top + i_of_a, first + l_of_a * 4, m, k);
    bs[l_of_b][j_of_b] = load<aligned>(b, first + l_of_b, left + j_of_b * 4, k, n);
    __syncthreads();
#pragma unroll
    for (int four = 0; four < kDepth / 4; ++four) {
      alignas(16) float x[kEach][4], y[2][4];
#pragma unroll
      for (int i = 0; i < kEach; ++i) *reinterpret_cast<float4*>(x[i]) = as[ty + i * kAcross][four];
#pragma unroll
      for (int l = 0; l < 4; ++l) {
#pragma unroll
        for (int h = 0; h < 2; ++h) *reinterpret_cast<float4*>(y[h]) = bs[four * 4 + l][tx + h * kAcross];
#pragma unroll
        for (int i = 0; i < kEach; ++i)
#pragma unroll
          for (int j = 0; j < 8; ++j) sums[i][j / 4][j % 4] += x[i][l] * y[j / 4][j % 4];
      }
    }
    __syncthreads();
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
