// Tensor cores: a warp's mma multiplies 16 x 8 by 8 x 8. They take TF32, so each f32 is the sum of two, and three of four products are added.
#include "kernels/cuda/gpu/ptx.cuh"
#include "ladders/gemm/gemm.h"

namespace tapetum::ladders {
namespace {

constexpr int kTile = 128, kDepth = 8, kThreads = 256;
constexpr int kDown = 2, kAcross = 8;  // fragments of 16 x 8 of a warp: 32 x 64 elements, of which a lane has 64
static_assert(kTile * kDepth == 4 * kThreads);

// Starts to copy four neighbours in a row of x [rows, columns], zeros outside: at once where rows begin at a multiple of 16 bytes.
template <bool aligned> __device__ void copy(float* to, const float* x, int row, int column, int rows, int columns) {
  constexpr int kPart = aligned ? 4 : 1;
#pragma unroll
  for (int q = 0; q < 4; q += kPart) {
    const bool inside = row < rows && column + q < columns;
    ptx::cp_async<kPart * 4>(to + q, inside ? x + row * columns + column + q : x, inside);
  }
}

// big + small are 22 of the 24 bits of f32; TF32 has 11.
template <int count> struct Parts {
  uint32_t big[count], small[count];
  __device__ void set(int i, float v) {
    big[i] = ptx::cvt_tf32(v);
    small[i] = ptx::cvt_tf32(v - __uint_as_float(big[i]));
  }
};

template <bool aligned> __global__ void __launch_bounds__(kThreads, 2) gemm_kernel(float* c, const float* a, const float* b, int m, int n, int k) {
  __shared__ float4 as[2][kTile][kDepth / 4];               // the two of a row change places every four rows,
  __shared__ __align__(16) float bs[2][kDepth][kTile + 8];  // and rows are longer: a fragment lies in all 32 banks
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;
  const int i_of_a = thread / 2, l_of_a = thread % 2, l_of_b = thread / 32, j_of_b = thread % 32 * 4;
  const auto start = [&](int first, int buffer) {
    copy<aligned>(&as[buffer][i_of_a][l_of_a ^ (i_of_a / 4 % 2)].x, a, top + i_of_a, first + l_of_a * 4, m, k);
    copy<aligned>(&bs[buffer][l_of_b][j_of_b], b, first + l_of_b, left + j_of_b, k, n);
    ptx::cp_async_commit();
  };
  const int row = warp / 2 * 16 * kDown, column = warp % 2 * 8 * kAcross;  // of the warp, in the tile
  float sums[kDown][kAcross][4] = {};
  start(0, 0);
  for (int first = 0, now = 0; first < k; first += kDepth, now ^= 1) {
    ptx::cp_async_wait<0>();
    __syncthreads();
    if (first + kDepth < k) start(first + kDepth, now ^ 1);
    Parts<4> x[kDown];
#pragma unroll
    for (int i = 0; i < kDown; ++i) {
      uint32_t r[4];  // of four matrices of 8 rows of 16 bytes a lane gets the number (lane / 4, lane % 4)
      ptx::ldmatrix_x4(r, &as[now][row + i * 16 + lane % 16][lane / 16 ^ (lane / 4 % 2)]);
#pragma unroll
      for (int q = 0; q < 4; ++q) x[i].set(q, __uint_as_float(r[q]));
    }
#pragma unroll
    for (int j = 0; j < kAcross; ++j) {
      Parts<2> y;
#pragma unroll
      for (int q = 0; q < 2; ++q) y.set(q, bs[now][lane % 4 + q * 4][column + j * 8 + lane / 4]);
#pragma unroll
      for (int i = 0; i < kDown; ++i) {  // small x small is less than the last bit
        ptx::mma_m16n8k8_tf32(sums[i][j], x[i].small, y.big);
        ptx::mma_m16n8k8_tf32(sums[i][j], x[i].big, y.small);
        ptx::mma_m16n8k8_tf32(sums[i][j], x[i].big, y.big);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kDown; ++i)
#pragma unroll
    for (int j = 0; j < kAcross; ++j)
#pragma unroll
      for (int q = 0; q < 4; q += 2) {  // two neighbours of a row, and of the one 8 below
        const int r = top + row + i * 16 + q * 4 + lane / 4, s = left + column + j * 8 + lane % 4 * 2;
        if (r >= m || s >= n) continue;
        if constexpr (aligned) {
          *reinterpret_cast<float2*>(c + r * n + s) = make_float2(sums[i][j][q], sums[i][j][q + 1]);
        } else {
          c[r * n + s] = sums[i][j][q];
          if (s + 1 < n) c[r * n + s + 1] = sums[i][j][q + 1];
        }
      }
}

cudaError_t launch(float* c, const float* a, const float* b, int m, int n, int k) {
  const gpu::Launch at{.grid = dim3(cover(n, kTile), cover(m, kTile)), .block = kThreads};
  return n % 4 || k % 4 ? gpu::launch<gemm_kernel<false>>(at, c, a, b, m, n, k) : gpu::launch<gemm_kernel<true>>(at, c, a, b, m, n, k);
}

const Gemm step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
