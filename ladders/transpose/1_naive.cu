// One thread an element: a warp reads 32 neighbours of a row, and writes them 32 rows apart.
#include "ladders/transpose/transpose.h"

namespace tapetum::ladders {
namespace {

__global__ void transpose_kernel(float* y, const float* x, int rows, int columns) {
  const int j = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x), i = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
  if (i < rows && j < columns) y[j * rows + i] = x[i * columns + j];
}

cudaError_t launch(float* y, const float* x, int rows, int columns) {
  return gpu::launch<transpose_kernel>({.grid = dim3(cover(columns, 32), cover(rows, 8)), .block = dim3(32, 8)}, y, x, rows, columns);
}

const Transpose step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
