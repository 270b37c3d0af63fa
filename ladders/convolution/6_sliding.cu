// Both at once: pixels with their rim in shared memory, as in step 2, and 8 x 4 sums a thread, for which three taps slide along six inputs.
#include "ladders/convolution/convolution.h"

namespace tapetum::ladders {
namespace {

constexpr int kWide = 32, kHigh = 4, kTile = 64, kDepth = 8;  // pixels, output and input channels of a block at a time
constexpr int kChannels = 8, kPixels = 4;                     // of a thread: a warp has all pixels and eight channels
constexpr int kThreads = kTile / kChannels * kWide * kHigh / kPixels;

__device__ float4& four(float* p) { return *reinterpret_cast<float4*>(p); }

__global__ void convolution_kernel(float* y, const float* x, const float* f, ConvShape z) {
  __shared__ __align__(16) float tile[kDepth][kHigh + 2][kWide + 4], filter[kDepth * 9][kTile + 4];
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, k = thread / 32 * kChannels, i = lane / 8, j = lane % 8 * kPixels;
  const int across = (z.w + kWide - 1) / kWide, top = static_cast<int>(blockIdx.x) / across * kHigh,
            left = static_cast<int>(blockIdx.x) % across * kWide;
  const int first_k = static_cast<int>(blockIdx.y) * kTile;
  x += int64_t{blockIdx.z} * z.c * z.h * z.w;
  alignas(16) float sum[kChannels][kPixels] = {};
  for (int c = 0; c < z.c; c += kDepth) {
    for (int e = thread; e < kDepth * (kHigh + 2) * (kWide + 4); e += kThreads) {
      const int channel = c + e / (kWide + 4) / (kHigh + 2), h = top + e / (kWide + 4) % (kHigh + 2) - 1, w = left + e % (kWide + 4) - 1;
      (&tile[0][0][0])[e] = channel < z.c && h >= 0 && h < z.h && w >= 0 && w < z.w ? x[(channel * z.h + h) * z.w + w] : 0;
    }
    for (int e = thread; e < kDepth * 9 * kTile; e += kThreads) {  // a warp brings eight weights of four filters: different banks
      const int weight = e / 32 % 9 * 8 + lane % 8, to = e / 32 / 9 * 4 + lane / 8;
      filter[weight][to] = first_k + to < z.k && c * 9 + weight < z.c * 9 ? f[((first_k + to) * z.c + c) * 9 + weight] : 0;
    }
    __syncthreads();
    for (int line = 0; line < kDepth * 3; ++line) {  // of inputs, for three taps
      alignas(16) float input[8], weight[kChannels];
      four(input) = four(&tile[line / 3][i + line % 3][j]), four(input + 4) = four(&tile[line / 3][i + line % 3][j + 4]);
#pragma unroll
      for (int s = 0; s < 3; ++s) {
        four(weight) = four(&filter[line * 3 + s][k]), four(weight + 4) = four(&filter[line * 3 + s][k + 4]);
#pragma unroll
        for (int e = 0; e < kChannels * kPixels; ++e) sum[e / kPixels][e % kPixels] += weight[e / kPixels] * input[e % kPixels + s];
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int e = 0; e < kChannels; ++e) {
    if (first_k + k + e >= z.k || top + i >= z.h) break;
    float* to = y + ((int64_t{blockIdx.z} * z.k + first_k + k + e) * z.h + top + i) * z.w + left + j;
    if (z.w % kPixels == 0 && left + j < z.w) {
      four(to) = four(sum[e]);
    } else {
      for (int p = 0; p < kPixels && left + j + p < z.w; ++p) to[p] = sum[e][p];
    }
  }
}

cudaError_t launch(float* y, float*, const float* x, const float* f, const ConvShape& z) {
  const dim3 grid(cover(z.w, kWide) * cover(z.h, kHigh), cover(z.k, kTile), static_cast<unsigned>(z.n));
  return gpu::launch<convolution_kernel>({.grid = grid, .block = kThreads}, y, x, f, z);
}

const Convolution step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
