// A block carries a tile of 32 x 32 through shared memory, which does not mind rows or columns: both sides of global memory are whole lines.
#include "ladders/transpose/transpose.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 32;

__global__ void transpose_kernel(float* y, const float* x, int rows, int columns) {
  __shared__ float tile[kTile][kTile];
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;
  if (top + ty < rows && left + tx < columns) tile[ty][tx] = x[(top + ty) * columns + left + tx];
  __syncthreads();
  // A warp reads a column of the tile: all of it lies in one bank.
  if (left + ty < columns && top + tx < rows) y[(left + ty) * rows + top + tx] = tile[tx][ty];
}

cudaError_t launch(float* y, const float* x, int rows, int columns) {
  return gpu::launch<transpose_kernel>({.grid = dim3(cover(columns, kTile), cover(rows, kTile)), .block = dim3(kTile, kTile)}, y, x, rows, columns);
}

const Transpose step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
