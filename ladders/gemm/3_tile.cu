// A block brings tiles of 32 x 32 of a and b to shared memory, where each number serves 32 threads: global memory is read a 32nd as often.
#include "ladders/gemm/gemm.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 32;

__global__ void gemm_kernel(float* c, const float* a, const float* b, int m, int n, int k) {
  __shared__ float as[kTile][kTile], bs[kTile][kTile];
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const int i = static_cast<int>(blockIdx.y) * kTile + ty, j = static_cast<int>(blockIdx.x) * kTile + tx;
  float sum = 0;
  for (int first = 0; first < k; first += kTile) {
    as[ty][tx] = i < m && first + tx < k ? a[i * k + first + tx] : 0;
    bs[ty][tx] = first + ty < k && j < n ? b[(first + ty) * n + j] : 0;
    __syncthreads();
    for (int l = 0; l < kTile; ++l) sum += as[ty][l] * bs[l][tx];
    __syncthreads();  // before the next tiles overwrite these
  }
  if (i < m && j < n) c[i * n + j] = sum;
}

cudaError_t launch(float* c, const float* a, const float* b, int m, int n, int k) {
  return gpu::launch<gemm_kernel>({.grid = dim3(cover(n, kTile), cover(m, kTile)), .block = dim3(kTile, kTile)}, c, a, b, m, n, k);
}

const Gemm step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
