// The matrix need not exist (Chetlur et al. 2014, cuDNN): a block gathers its part from the image when it fills its tile.
#include "ladders/convolution/convolution.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 64, kDepth = 8, kThreads = 256;  // channels and pixels of a block; steps at a time

// y [k, h w] = f [k, 9 c] columns [9 c, h w] of each image; column (i, j) has x[c][i + r - 1][j + s - 1] at 9 c + 3 r + s.
__global__ void convolution_kernel(float* y, const float* x, const float* f, ConvShape z) {
  __shared__ __align__(16) float a[kDepth][kTile + 4], b[kDepth][kTile];
  const int thread = static_cast<int>(threadIdx.x), depth = 9 * z.c, pixels = z.h * z.w;
  const int first_k = static_cast<int>(blockIdx.y) * kTile, first_pixel = static_cast<int>(blockIdx.x) * kTile;
  const int row = thread / 16 * 4, column = thread % 16 * 4;
  const int pixel = first_pixel + thread % kTile, i = pixel / z.w, j = pixel % z.w;  // that this thread gathers
  x += int64_t{blockIdx.z} * z.c * pixels;
  alignas(16) float sum[4][4] = {};
  for (int l = 0; l < depth; l += kDepth) {
    for (int e = thread; e < kDepth * kTile; e += kThreads) {
      const int k = first_k + e / kDepth, step = l + e % kDepth;
      a[e % kDepth][e / kDepth] = k < z.k && step < depth ? f[k * depth + step] : 0;
      const int tap = l + e / kTile, c = tap / 9, h = i + tap % 9 / 3 - 1, w = j + tap % 3 - 1;
      b[e / kTile][e % kTile] = tap < depth && h >= 0 && h < z.h && w >= 0 && w < z.w ? x[(c * z.h + h) * z.w + w] : 0;
    }
    __syncthreads();
    for (int step = 0; step < kDepth; ++step) {
      alignas(16) float of_a[4], of_b[4];
      *reinterpret_cast<float4*>(of_a) = *reinterpret_cast<const float4*>(&a[step][row]);
      *reinterpret_cast<float4*>(of_b) = *reinterpret_cast<const float4*>(&b[step][column]);
#pragma unroll
      for (int e = 0; e < 16; ++e) sum[e / 4][e % 4] += of_a[e / 4] * of_b[e % 4];
    }
    __syncthreads();
  }
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    if (first_k + row + e >= z.k) break;
    float* to = y + (int64_t{blockIdx.z} * z.k + first_k + row + e) * pixels + first_pixel + column;
    if (pixels % 4 == 0 && first_pixel + column < pixels) {
      *reinterpret_cast<float4*>(to) = *reinterpret_cast<const float4*>(sum[e]);
    } else {
      for (int p = 0; p < 4 && first_pixel + column + p < pixels; ++p) to[p] = sum[e][p];
    }
  }
}

cudaError_t launch(float* y, float*, const float* x, const float* f, const ConvShape& z) {
  const dim3 grid(cover(z.h * z.w, kTile), cover(z.k, kTile), static_cast<unsigned>(z.n));
  return gpu::launch<convolution_kernel>({.grid = grid, .block = kThreads}, y, x, f, z);
}

const Convolution step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
