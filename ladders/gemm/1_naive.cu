// One thread an element, neighbours in a column of c: for each step a warp reads 32 rows of a, in 32 sectors, of each of which it uses 4 bytes.
#include "ladders/gemm/gemm.h"

namespace tapetum::ladders {
namespace {

constexpr int kDown = 32, kAcross = 8;

__global__ void gemm_kernel(float* c, const float* a, const float* b, int m, int n, int k) {
  const int i = static_cast<int>(blockIdx.x * kDown + threadIdx.x), j = static_cast<int>(blockIdx.y * kAcross + threadIdx.y);
  if (i >= m || j >= n) return;
  float sum = 0;
  for (int l = 0; l < k; ++l) sum += a[i * k + l] * b[l * n + j];
  c[i * n + j] = sum;
}

cudaError_t launch(float* c, const float* a, const float* b, int m, int n, int k) {
  return gpu::launch<gemm_kernel>({.grid = dim3(cover(m, kDown), cover(n, kAcross)), .block = dim3(kDown, kAcross)}, c, a, b, m, n, k);
}

const Gemm step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
