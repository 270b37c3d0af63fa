// A block's pixels, and a rim around them, come to shared memory once for the nine taps; zeros around the image come with them.
#include "ladders/convolution/convolution.h"

namespace tapetum::ladders {
namespace {

constexpr int kWide = 32, kHigh = 8, kThreads = kWide * kHigh;

__global__ void convolution_kernel(float* y, const float* x, const float* f, ConvShape z) {
  __shared__ float tile[kHigh + 2][kWide + 2], filter[9];
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y), thread = ty * kWide + tx;
  const int top = static_cast<int>(blockIdx.y) * kHigh, left = static_cast<int>(blockIdx.x) * kWide;
  const int k = static_cast<int>(blockIdx.z) % z.k, n = static_cast<int>(blockIdx.z) / z.k;
  float sum = 0;
  for (int c = 0; c < z.c; ++c) {
    const float* image = x + (int64_t{n} * z.c + c) * z.h * z.w;
    for (int e = thread; e < (kHigh + 2) * (kWide + 2); e += kThreads) {
      const int r = e / (kWide + 2), s = e % (kWide + 2), h = top + r - 1, w = left + s - 1;
      tile[r][s] = h >= 0 && h < z.h && w >= 0 && w < z.w ? image[h * z.w + w] : 0;
    }
    if (thread < 9) filter[thread] = f[(k * z.c + c) * 9 + thread];
    __syncthreads();
    for (int r = 0; r < 3; ++r)
      for (int s = 0; s < 3; ++s) sum += tile[ty + r][tx + s] * filter[r * 3 + s];
    __syncthreads();
  }
  if (top + ty < z.h && left + tx < z.w) y[((int64_t{n} * z.k + k) * z.h + top + ty) * z.w + left + tx] = sum;
}

cudaError_t launch(float* y, float*, const float* x, const float* f, const ConvShape& z) {
  const dim3 grid(cover(z.w, kWide), cover(z.h, kHigh), static_cast<unsigned>(z.n * z.k));
  return gpu::launch<convolution_kernel>({.grid = grid, .block = dim3(kWide, kHigh)}, y, x, f, z);
}

const Convolution step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
