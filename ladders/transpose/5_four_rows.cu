// Four rows a thread: a quarter of the warps wait at a quarter of the barriers, and each has four loads on their way at once.
#include "ladders/transpose/transpose.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 32, kThreadRows = 8;

__global__ void transpose_kernel(float* y, const float* x, int rows, int columns) {
  __shared__ float tile[kTile][kTile + 1];
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;
#pragma unroll
  for (int r = ty; r < kTile; r += kThreadRows)
    if (top + r < rows && left + tx < columns) tile[r][tx] = x[(top + r) * columns + left + tx];
  __syncthreads();
#pragma unroll
  for (int r = ty; r < kTile; r += kThreadRows)
    if (left + r < columns && top + tx < rows) y[(left + r) * rows + top + tx] = tile[tx][r];
}

cudaError_t launch(float* y, const float* x, int rows, int columns) {
  return gpu::launch<transpose_kernel>({.grid = dim3(cover(columns, kTile), cover(rows, kTile)), .block = dim3(kTile, kThreadRows)}, y, x, rows,
                                       columns);
}

const Transpose step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
