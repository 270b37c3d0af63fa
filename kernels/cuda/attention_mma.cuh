// Rows of one head in shared memory, and their products on tensor cores (mma.m16n8k16, f16 or bf16, sums in f32). A block has four warps of
// 16 rows each; partners come in tiles, two of which are in shared memory: one is multiplied while the next arrives.
#pragma once
#include "kernels/cuda/attention_weights.cuh"
#include "kernels/cuda/mma_tile.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kMmaThreads = 128, kWarpRows = 16, kMmaRows = kMmaThreads / kWarp * kWarpRows;

// Element q of fragment j lies in row warp_row() + row_of(q) and column j * 8 + column_of(q) of a block's tile.
__device__ inline int warp_row() { return static_cast<int>(threadIdx.x) / kWarp * kWarpRows; }
__device__ inline int row_of(int q) { return lane() / 4 + q / 2 * 8; }
__device__ inline int column_of(int q) { return lane() % 4 * 2 + q % 2; }

template <int Columns> using Fragments16 = float[Columns / 8][4];  // of a warp: 16 x Columns

// A head's rows of up to Width elements, a multiple of 8, each 16 bytes aligned.
template <class T, int Width> struct HeadTiles {
  static constexpr int kChunks = Width / 8;  // of a row

  const T* data;
  int64_t row;
  int count, width;

  __device__ HeadTiles(const Heads<const void*>& x, const AttentionProblem& p, int64_t head, int64_t rows)
      : data(rows_of<T>(x, p, head)), row(x.row), count(static_cast<int>(rows)), width(static_cast<int>(p.width)) {}

  __device__ static int place(int i, int chunk) { return place_of_chunk<T, kChunks>(i, chunk); }

  // Starts to copy rows [first, first + Rows); beyond the head are zeros.
  template <int Rows> __device__ void start(uint4* tile, int first) const {
#pragma unroll
    for (int e = threadIdx.x; e < Rows * kChunks; e += kMmaThreads) {
      const int i = e / kChunks, chunk = e % kChunks;
      const bool inside = first + i < count && chunk * 8 < width;
      ptx::cp_async<16>(&tile[place(i, chunk)], inside ? data + (first + i) * row + chunk * 8 : data, inside);
    }
  }

  // The warp's rows of a times Columns rows of b, over the whole width.
  template <int Columns> __device__ static void multiply(Fragments16<Columns>& products, const uint4* a, const uint4* b) {
#pragma unroll
    for (int j = 0; j < Columns / 8; ++j)
#pragma unroll
      for (float& x : products[j]) x = 0;
#pragma unroll
    for (int step = 0; step < Width / 16; ++step) {
      uint32_t of_a[4], of_b[4];
      ptx::ldmatrix_x4(of_a, &a[place(warp_row() + lane() % 16, step * 2 + lane() / 16)]);
#pragma unroll
      for (int j = 0; j < Columns / 16; ++j) {
        ptx::ldmatrix_x4(of_b, &b[place(j * 16 + lane() % 8 + lane() / 16 * 8, step * 2 + lane() / 8 % 2)]);
        mma<T>(products[2 * j], of_a, {of_b[0], of_b[1]});
        mma<T>(products[2 * j + 1], of_a, {of_b[2], of_b[3]});
      }
    }
  }

  // sums [16 x Out] += weights [16 x Partners] times rows of b, from its column `first` on. Products' registers are a's of the next product.
  template <int Partners, int Out>
  __device__ static void add(Fragments16<Out>& sums, const Fragments16<Partners>& weights, const uint4* b, int first) {
#pragma unroll
    for (int j = 0; j < Partners / 16; ++j) {
      const float(&left)[4] = weights[2 * j], (&right)[4] = weights[2 * j + 1];
      const uint32_t a[4] = {pack<T>(left[0], left[1]), pack<T>(left[2], left[3]), pack<T>(right[0], right[1]), pack<T>(right[2], right[3])};
#pragma unroll
      for (int d = 0; d < Out / 16; ++d) {
        uint32_t of_b[4];
        ptx::ldmatrix_x4<true>(of_b, &b[place(j * 16 + lane() % 16, first / 8 + d * 2 + lane() / 16)]);
        mma<T>(sums[2 * d], a, {of_b[0], of_b[1]});
        mma<T>(sums[2 * d + 1], a, {of_b[2], of_b[3]});
      }
    }
  }

  // The warp's rows of a result from `row` of it on, scale[0] times the upper and scale[1] times the lower ones.
  template <int Out>
  __device__ static void store(T* y, int64_t stride, int count, int width, int first, const Fragments16<Out>& sums, const float (&scale)[2]) {
#pragma unroll
    for (int q = 0; q < 4; q += 2)
#pragma unroll
      for (int d = 0; d < Out / 8; ++d) {
        const int i = warp_row() + row_of(q), column = first + d * 8 + column_of(0);
        if (i < count && column < width)
          *reinterpret_cast<uint32_t*>(y + i * stride + column) = pack<T>(sums[d][q] * scale[q / 2], sums[d][q + 1] * scale[q / 2]);
      }
  }
};

// f(type, width) for the least of the widths that kernels are made for.
template <class F> Status with_mma_width(const AttentionProblem& p, F f) {
  const auto with_width = [&]<class T>() {
    if (p.width <= 64) return f.template operator()<T, 64>();
    return p.width <= 128 ? f.template operator()<T, 128>() : f.template operator()<T, 256>();
  };
  return p.dtype == DType::f16 ? with_width.template operator()<Half>() : with_width.template operator()<BFloat16>();
}

template <class Pointer> bool has_aligned_rows(const Heads<Pointer>& x) {
  return reinterpret_cast<uintptr_t>(x.data) % 16 == 0 && x.batch % 8 == 0 && x.head % 8 == 0 && x.row % 8 == 0;
}
inline bool supports_mma(const AttentionProblem& p) {
  constexpr int64_t most = int64_t{1} << 30;  // rows are counted in int
  return (p.dtype == DType::f16 || p.dtype == DType::bf16) && p.width == p.value_width && p.width % 8 == 0 && 0 < p.width && p.width <= 256 &&
         p.queries < most && p.keys < most && has_aligned_rows(p.q) && has_aligned_rows(p.k) && has_aligned_rows(p.v);
}

// Weights are rounded to the problem's type before they are multiplied: in units of f32, which the products are summed in.
inline double rounding(DType dtype) { return dtype == DType::f16 ? 0x1p13 : 0x1p16; }

}  // namespace
}  // namespace tapetum::kernels
