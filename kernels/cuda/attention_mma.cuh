// Rows of one head in shared memory, and their products on tensor cores (mma.m16n8k16, f16 or bf16, sums in f32). A block has four warps of
// 16 rows each; partners come in tiles, two of which are in shared memory: one is multiplied while the next arrives.
#pragma once
#include "kernels/cuda/attention_softmax.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kMmaThreads = 128, kMmaRows = kMmaThreads / kWarp * kWarpRows;

__device__ inline int warp_row() { return static_cast<int>(threadIdx.x) / kWarp * kWarpRows; }

// use(first, buffer) for each tile of Rows partners from `first` on, when start(first, buffer) has brought it to shared memory: the next one
// arrives meanwhile.
template <int Rows, class Start, class Use> __device__ void for_each_tile(int first, int end, Start start, Use use) {
  const auto start_at = [&](int at) {
    if (at < end) start(at, at / Rows % 2);
    ptx::cp_async_commit();
  };
  start_at(first);
  for (; first < end; first += Rows) {
    ptx::cp_async_wait<0>();
    __syncthreads();  // this tile is there, and nobody reads the one before
    start_at(first + Rows);
    use(first, first / Rows % 2);
  }
}

// A head's rows of up to Width elements, a multiple of 8, each 16 bytes aligned.
template <class T, int Width> struct HeadTiles {
  static constexpr int kChunks = Width / 8;  // of a row

  const T* data;
  int64_t row;
  int count, width;

  __device__ HeadTiles(const Heads<const void*>& x, const AttentionProblem& p, int64_t head, int64_t rows)
      : data(rows_of<T>(x, p, head)), row(x.row), count(static_cast<int>(rows)), width(static_cast<int>(p.width)) {}

  // Of a chunk in a tile: those that ldmatrix reads at once lie in different banks. Known parts of `chunk` stay known, and cost no register.
  __device__ static int place(int i, int chunk) { return i * kChunks + chunk / 8 * 8 + (chunk % 8 ^ i % 8); }

  // Starts to copy rows [first, first + Rows); beyond the head are zeros.
  template <int Rows> __device__ void start(uint4* tile, int first) const {
    constexpr int kStep = kMmaThreads / kChunks;  // rows that the block copies at once
    const int chunk = static_cast<int>(threadIdx.x) % kChunks, own = static_cast<int>(threadIdx.x) / kChunks;
    const T* from = data + (first + own) * row + chunk * 8;
    const int end = chunk * 8 < width ? count - first : 0;
#pragma unroll 1
    for (int i = own; i < Rows; i += kStep, from += kStep * row) ptx::cp_async<16>(&tile[place(i, chunk)], i < end ? from : data, i < end);
  }

  // The warp's rows of a times Columns rows of b, over the whole width.
  template <int Columns> __device__ static void multiply(Fragments16<Columns>& products, const uint4* a, const uint4* b) {
#pragma unroll
    for (int j = 0; j < Columns / 8; ++j)
#pragma unroll
      for (float& x : products[j]) x = 0;
#pragma unroll 4
    for (int step = 0; step < Width / 16; ++step) {
      uint32_t of_a[4], of_b[4];
      ptx::ldmatrix_x4(of_a, &a[place(warp_row() + lane() % 16, step * 2 + lane() / 16)]);
#pragma unroll
      for (int j = 0; j < Columns / 16; ++j) {
        ptx::ldmatrix_x4(of_b, &b[place(j * 16 + lane() % 16, step * 2 + lane() / 16)]);
        mma<T>(products[2 * j], of_a, {of_b[0], of_b[2]});
        mma<T>(products[2 * j + 1], of_a, {of_b[1], of_b[3]});
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
};

// f(type, width, plain), with the least of the widths that kernels are made for.
template <class F> Status with_mma_width(const AttentionProblem& p, F f) {
  const auto with_width = [&]<class T, bool plain>() {
    if (p.width <= 64) return f.template operator()<T, 64, plain>();
    return p.width <= 128 ? f.template operator()<T, 128, plain>() : f.template operator()<T, 256, plain>();
  };
  const auto with_type = [&]<class T>() {
    return is_plain(p) ? with_width.template operator()<T, true>() : with_width.template operator()<T, false>();
  };
  return p.dtype == DType::f16 ? with_type.template operator()<Half>() : with_type.template operator()<BFloat16>();
}

}  // namespace
}  // namespace tapetum::kernels
