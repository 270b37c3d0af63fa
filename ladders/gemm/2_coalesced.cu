// Neighbours in a row of c: a warp reads one number of a for all its lanes, and 32 neighbours of a row of b.
#include "ladders/gemm/gemm.h"

namespace tapetum::ladders {
namespace {

constexpr int kDown = 8, kAcross = 32;

__global__ void gemm_kernel(float* c, const float* a, const float* b, int m, int n, int k) {
  const int i = static_cast<int>(blockIdx.y * kDown + threadIdx.y), j = static_cast<int>(blockIdx.x * kAcross + threadIdx.x);
  if (i >= m || j >= n) return;
  float sum = 0;
  for (int l = 0; l < k; ++l) sum += a[i * k + l] * b[l * n + j];
  c[i * n + j] = sum;
}

cudaError_t launch(float* c, const float* a, const float* b, int m, int n, int k) {
  return gpu::launch<gemm_kernel>({.grid = dim3(cover(n, kAcross), cover(m, kDown)), .block = dim3(kAcross, kDown)}, c, a, b, m, n, k);
}

const Gemm step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
