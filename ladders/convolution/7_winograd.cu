// Winograd F(2x2, 3x3) (Lavin, Gray 2016): 2 x 2 outputs take 16 products a channel instead of 36, between transforms that only add and halve.
#include "ladders/convolution/convolution.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 64, kDepth = 8, kThreads = 256;  // of the products: as in step 4

__device__ void filter(const float (&g)[3], float (&r)[4]) {
  r[0] = g[0], r[1] = (g[0] + g[1] + g[2]) / 2, r[2] = (g[0] - g[1] + g[2]) / 2, r[3] = g[2];
}
__device__ void input(const float (&d)[4], float (&r)[4]) { r[0] = d[0] - d[2], r[1] = d[1] + d[2], r[2] = d[2] - d[1], r[3] = d[1] - d[3]; }
__device__ void output(const float (&m)[4], float (&r)[2]) { r[0] = m[0] + m[1] + m[2], r[1] = m[1] - m[2] - m[3]; }

// f along rows, then along columns.
template <int from, int to, auto f, class Load, class Store> __device__ void transform(Load load, Store store) {
  float half[from][to], line[from], result[to];
#pragma unroll
  for (int i = 0; i < from; ++i) {
    for (int j = 0; j < from; ++j) line[j] = load(i, j);
    f(line, half[i]);
  }
#pragma unroll
  for (int j = 0; j < to; ++j) {
    for (int i = 0; i < from; ++i) line[i] = half[i][j];
    f(line, result);
    for (int i = 0; i < to; ++i) store(i, j, result[i]);
  }
}

// u [16, k, c], v [16, c, tiles], m [16, k, tiles]: a matrix for each of the 4 x 4 numbers. Rows of tiles are a multiple of four.
__global__ void filter_kernel(float* u, const float* f, int size) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (i < size)
    transform<3, 4, filter>([&](int r, int s) { return f[i * 9 + r * 3 + s]; }, [&](int r, int s, float x) { u[(r * 4 + s) * size + i] = x; });
}

__global__ void input_kernel(float* v, const float* x, ConvShape z, int tiles) {
  const int tile = static_cast<int>(blockIdx.x * kThreads + threadIdx.x), c = static_cast<int>(blockIdx.y);
  const int across = (z.w + 1) / 2, down = (z.h + 1) / 2, n = tile / across / down, top = tile / across % down * 2 - 1, left = tile % across * 2 - 1;
  if (tile >= tiles) return;
  const auto load = [&](int i, int j) {
    const int h = top + i, w = left + j;
    return n < z.n && h >= 0 && h < z.h && w >= 0 && w < z.w ? x[((int64_t{n} * z.c + c) * z.h + h) * z.w + w] : 0.f;
  };
  transform<4, 4, input>(load, [&](int i, int j, float d) { v[((i * 4 + j) * int64_t{z.c} + c) * tiles + tile] = d; });
}

__global__ void product_kernel(float* m, const float* u, const float* v, int k, int c, int tiles) {
  __shared__ __align__(16) float a[kDepth][kTile + 4], b[kDepth][kTile];
  const int thread = static_cast<int>(threadIdx.x), first_k = static_cast<int>(blockIdx.y) * kTile, first = static_cast<int>(blockIdx.x) * kTile;
  const int row = thread / 16 * 4, column = thread % 16 * 4;
  u += int64_t{blockIdx.z} * k * c, v += int64_t{blockIdx.z} * c * tiles, m += int64_t{blockIdx.z} * k * tiles;
  float4 sum[4] = {};
  for (int l = 0; l < c; l += kDepth) {
    for (int e = thread; e < kDepth * kTile; e += kThreads) {
      const int to = first_k + e / kDepth, tile = first + e % kTile;
      a[e % kDepth][e / kDepth] = to < k && l + e % kDepth < c ? u[to * c + l + e % kDepth] : 0;
      b[e / kTile][e % kTile] = l + e / kTile < c && tile < tiles ? v[(l + e / kTile) * tiles + tile] : 0;
    }
    __syncthreads();
    for (int step = 0; step < kDepth; ++step) {
      const float4 p = *reinterpret_cast<const float4*>(&a[step][row]), q = *reinterpret_cast<const float4*>(&b[step][column]);
      const float of_a[4] = {p.x, p.y, p.z, p.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) sum[i].x += of_a[i] * q.x, sum[i].y += of_a[i] * q.y, sum[i].z += of_a[i] * q.z, sum[i].w += of_a[i] * q.w;
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i)
    if (first_k + row + i < k && first + column < tiles) *reinterpret_cast<float4*>(m + int64_t{first_k + row + i} * tiles + first + column) = sum[i];
}

__global__ void output_kernel(float* y, const float* m, ConvShape z, int tiles) {
  const int tile = static_cast<int>(blockIdx.x * kThreads + threadIdx.x), k = static_cast<int>(blockIdx.y);
  const int across = (z.w + 1) / 2, down = (z.h + 1) / 2, n = tile / across / down, top = tile / across % down * 2, left = tile % across * 2;
  if (n >= z.n) return;
  const auto store = [&](int i, int j, float sum) {
    if (top + i < z.h && left + j < z.w) y[((int64_t{n} * z.k + k) * z.h + top + i) * z.w + left + j] = sum;
  };
  transform<4, 2, output>([&](int i, int j) { return m[((i * 4 + j) * int64_t{z.k} + k) * tiles + tile]; }, store);
}

cudaError_t launch(float* y, float* u, const float* x, const float* f, const ConvShape& z) {
  const unsigned k = static_cast<unsigned>(z.k), c = static_cast<unsigned>(z.c);
  const int tiles = static_cast<int>(cover(z.n * static_cast<int>(cover(z.h, 2) * cover(z.w, 2)), 4)) * 4;
  float *v = u + 16 * z.k * z.c, *m = v + int64_t{16} * z.c * tiles;
  const auto over = [=](unsigned channels) { return gpu::Launch{.grid = dim3(cover(tiles, kThreads), channels), .block = kThreads}; };
  cudaError_t error = gpu::launch<filter_kernel>({.grid = cover(z.k * z.c, kThreads), .block = kThreads}, u, f, z.k * z.c);
  if (error == cudaSuccess) error = gpu::launch<input_kernel>(over(c), v, x, z, tiles);
  const gpu::Launch product{.grid = dim3(cover(tiles, kTile), cover(z.k, kTile), 16), .block = kThreads};
  if (error == cudaSuccess) error = gpu::launch<product_kernel>(product, m, u, v, z.k, z.c, tiles);
  return error == cudaSuccess ? gpu::launch<output_kernel>(over(k), y, m, z, tiles) : error;
}

const Convolution step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
