// Four neighbours a thread, in one access of 16 bytes where both sizes are multiples of four: a quarter of the requests to global memory.
#include "ladders/transpose/transpose.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 32;

// V is float4, or float where a row may begin at any float.
template <class V> __global__ void transpose_kernel(float* y, const float* x, int rows, int columns) {
  constexpr int kEach = sizeof(V) / sizeof(float), kAcross = kTile / kEach;
  __shared__ float tile[kTile][kTile + 1];
  const int r = static_cast<int>(threadIdx.x) / kAcross, c = static_cast<int>(threadIdx.x) % kAcross * kEach;
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;
  alignas(V) float held[kEach];
  if (top + r < rows && left + c < columns) {
    *reinterpret_cast<V*>(held) = *reinterpret_cast<const V*>(x + (top + r) * columns + left + c);
#pragma unroll
    for (int k = 0; k < kEach; ++k) tile[r][c + k] = held[k];
  }
  __syncthreads();
  if (left + r < columns && top + c < rows) {
#pragma unroll
    for (int k = 0; k < kEach; ++k) held[k] = tile[c + k][r];
    *reinterpret_cast<V*>(y + (left + r) * rows + top + c) = *reinterpret_cast<V*>(held);
  }
}

template <class V> cudaError_t launch_as(float* y, const float* x, int rows, int columns) {
  const dim3 grid(cover(columns, kTile), cover(rows, kTile));
  return gpu::launch<transpose_kernel<V>>({.grid = grid, .block = dim3(kTile * kTile * sizeof(float) / sizeof(V))}, y, x, rows, columns);
}

cudaError_t launch(float* y, const float* x, int rows, int columns) {
  return rows % 4 == 0 && columns % 4 == 0 ? launch_as<float4>(y, x, rows, columns) : launch_as<float>(y, x, rows, columns);
}

const Transpose step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
