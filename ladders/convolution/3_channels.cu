// A thread makes eight channels of its pixel: a pixel in a register is used eight times, and a tile is brought for eight channels at once.
#include "ladders/convolution/convolution.h"

namespace tapetum::ladders {
namespace {

constexpr int kWide = 32, kHigh = 8, kThreads = kWide * kHigh, kChannels = 8;

__global__ void convolution_kernel(float* y, const float* x, const float* f, ConvShape z) {
  __shared__ float tile[kHigh + 2][kWide + 2];
  __shared__ __align__(16) float filter[9][kChannels + 4];
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y), thread = ty * kWide + tx;
  const int top = static_cast<int>(blockIdx.y) * kHigh, left = static_cast<int>(blockIdx.x) * kWide;
  const int groups = (z.k + kChannels - 1) / kChannels;
  const int first = static_cast<int>(blockIdx.z) % groups * kChannels, n = static_cast<int>(blockIdx.z) / groups;
  float sum[kChannels] = {};
  for (int c = 0; c < z.c; ++c) {
    const float* image = x + (int64_t{n} * z.c + c) * z.h * z.w;
    for (int e = thread; e < (kHigh + 2) * (kWide + 2); e += kThreads) {
      const int r = e / (kWide + 2), s = e % (kWide + 2), h = top + r - 1, w = left + s - 1;
      tile[r][s] = h >= 0 && h < z.h && w >= 0 && w < z.w ? image[h * z.w + w] : 0;
    }
    if (const int k = thread / 9, tap = thread % 9; k < kChannels) filter[tap][k] = first + k < z.k ? f[((first + k) * z.c + c) * 9 + tap] : 0;
    __syncthreads();
    for (int tap = 0; tap < 9; ++tap) {
      const float pixel = tile[ty + tap / 3][tx + tap % 3];
      alignas(16) float weight[kChannels];
#pragma unroll
      for (int k = 0; k < kChannels; k += 4) *reinterpret_cast<float4*>(weight + k) = *reinterpret_cast<const float4*>(&filter[tap][k]);
#pragma unroll
      for (int k = 0; k < kChannels; ++k) sum[k] += pixel * weight[k];
    }
    __syncthreads();
  }
#pragma unroll
  for (int k = 0; k < kChannels; ++k)
    if (top + ty < z.h && left + tx < z.w && first + k < z.k) y[((int64_t{n} * z.k + first + k) * z.h + top + ty) * z.w + left + tx] = sum[k];
}

cudaError_t launch(float* y, float*, const float* x, const float* f, const ConvShape& z) {
  const dim3 grid(cover(z.w, kWide), cover(z.h, kHigh), static_cast<unsigned>(z.n) * cover(z.k, kChannels));
  return gpu::launch<convolution_kernel>({.grid = grid, .block = dim3(kWide, kHigh)}, y, x, f, z);
}

const Convolution step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
