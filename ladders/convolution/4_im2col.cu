// A matrix product (Chellapilla et al. 2006): each pixel's 9 c inputs are a column. 4 x 4 sums a thread, for a matrix nine times the image.
#include "ladders/convolution/convolution.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 64, kDepth = 8, kThreads = 256;  // channels and pixels of a block; steps at a time

// columns [n, 9 c, h w]
__global__ void im2col_kernel(float* columns, const float* x, ConvShape z) {
  const int pixel = static_cast<int>(blockIdx.x * kThreads + threadIdx.x), row = static_cast<int>(blockIdx.y), n = static_cast<int>(blockIdx.z);
  if (pixel >= z.h * z.w) return;
  const int c = row / 9, h = pixel / z.w + row % 9 / 3 - 1, w = pixel % z.w + row % 3 - 1;
  const bool inside = h >= 0 && h < z.h && w >= 0 && w < z.w;
  columns[(int64_t{n} * 9 * z.c + row) * z.h * z.w + pixel] = inside ? x[((int64_t{n} * z.c + c) * z.h + h) * z.w + w] : 0;
}

// y [k, h w] = f [k, 9 c] columns [9 c, h w] of each image.
__global__ void product_kernel(float* y, const float* columns, const float* f, ConvShape z) {
  __shared__ __align__(16) float a[kDepth][kTile + 4], b[kDepth][kTile];
  const int thread = static_cast<int>(threadIdx.x), depth = 9 * z.c, pixels = z.h * z.w;
  const int first_k = static_cast<int>(blockIdx.y) * kTile, first_pixel = static_cast<int>(blockIdx.x) * kTile;
  const int row = thread / 16 * 4, column = thread % 16 * 4;
  columns += int64_t{blockIdx.z} * depth * pixels;
  alignas(16) float sum[4][4] = {};
  for (int l = 0; l < depth; l += kDepth) {
    for (int e = thread; e < kDepth * kTile; e += kThreads) {
      const int k = first_k + e / kDepth, step = l + e % kDepth;
      a[e % kDepth][e / kDepth] = k < z.k && step < depth ? f[k * depth + step] : 0;
      const int pixel = first_pixel + e % kTile;
      b[e / kTile][e % kTile] = l + e / kTile < depth && pixel < pixels ? columns[(l + e / kTile) * pixels + pixel] : 0;
    }
    __syncthreads();
    for (int step = 0; step < kDepth; ++step) {
      alignas(16) float of_a[4], of_b[4];
      *reinterpret_cast<float4*>(of_a) = *reinterpret_cast<const float4*>(&a[step][row]);
      *reinterpret_cast<float4*>(of_b) = *reinterpret_cast<const float4*>(&b[step][column]);
#pragma unroll
      for (int i = 0; i < 16; ++i) sum[i / 4][i % 4] += of_a[i / 4] * of_b[i % 4];
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (first_k + row + i >= z.k) break;
    float* to = y + (int64_t{blockIdx.z} * z.k + first_k + row + i) * pixels + first_pixel + column;
    if (pixels % 4 == 0 && first_pixel + column < pixels) {
      *reinterpret_cast<float4*>(to) = *reinterpret_cast<const float4*>(sum[i]);
    } else {
      for (int j = 0; j < 4 && first_pixel + column + j < pixels; ++j) to[j] = sum[i][j];
    }
  }
}

cudaError_t launch(float* y, float* columns, const float* x, const float* f, const ConvShape& z) {
  const unsigned n = static_cast<unsigned>(z.n), depth = static_cast<unsigned>(9 * z.c);
  const cudaError_t error = gpu::launch<im2col_kernel>({.grid = dim3(cover(z.h * z.w, kThreads), depth, n), .block = kThreads}, columns, x, z);
  if (error != cudaSuccess) return error;
  return gpu::launch<product_kernel>({.grid = dim3(cover(z.h * z.w, kTile), cover(z.k, kTile), n), .block = kThreads}, y, columns, f, z);
}

const Convolution step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
