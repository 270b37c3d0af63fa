// A thread an output: two loads for each of its 9 c products. Neighbouring outputs read the same pixels, and all of a channel the same filter.
#include "ladders/convolution/convolution.h"

namespace tapetum::ladders {
namespace {

constexpr int kWide = 32, kHigh = 8;

__global__ void convolution_kernel(float* y, const float* x, const float* f, ConvShape z) {
  const int j = static_cast<int>(blockIdx.x * kWide + threadIdx.x), i = static_cast<int>(blockIdx.y * kHigh + threadIdx.y);
  const int k = static_cast<int>(blockIdx.z) % z.k, n = static_cast<int>(blockIdx.z) / z.k;
  if (i >= z.h || j >= z.w) return;
  float sum = 0;
  for (int c = 0; c < z.c; ++c)
    for (int r = 0; r < 3; ++r)
      for (int s = 0; s < 3; ++s) {
        const int h = i + r - 1, w = j + s - 1;
        if (h < 0 || h >= z.h || w < 0 || w >= z.w) continue;
        sum += x[((int64_t{n} * z.c + c) * z.h + h) * z.w + w] * f[(k * z.c + c) * 9 + r * 3 + s];
      }
  y[((int64_t{n} * z.k + k) * z.h + i) * z.w + j] = sum;
}

cudaError_t launch(float* y, float*, const float* x, const float* f, const ConvShape& z) {
  const dim3 grid(cover(z.w, kWide), cover(z.h, kHigh), static_cast<unsigned>(z.n * z.k));
  return gpu::launch<convolution_kernel>({.grid = grid, .block = dim3(kWide, kHigh)}, y, x, f, z);
}

const Convolution step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
