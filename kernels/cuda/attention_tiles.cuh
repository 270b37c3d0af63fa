// What a block of the plain attention kernels does with tiles in shared memory: 32 rows of one operand meet 32 rows of the other.
// A warp has four rows of its own, a lane of it one partner, or two of the 64 columns that the block sums up.
#pragma once
#include "kernels/cuda/attention_weights.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kTileRows = kWarp, kTileColumns = 64, kOwnRows = kTileRows / (kThreads / kWarp), kOwnColumns = kTileColumns / kWarp;

template <class T> struct AttentionTiles {
  T a[kTileRows][kWarp + 1], b[kTileRows][kWarp + 1];  // pieces of 32 columns; a column is read without bank conflicts
  T weights[2][kTileRows][kWarp + 1];
  T columns[kTileRows][kTileColumns];
};

__device__ inline int own_row(int r) { return static_cast<int>(threadIdx.x) / kWarp * kOwnRows + r; }

// `count` rows of `width` elements of S; beyond them are zeros.
template <class S> struct TileRows {
  const S* data;
  int64_t row, count, width;
  __device__ Compute<S> at(int64_t i, int64_t d) const { return i < count && d < width ? widen(data[i * row + d]) : Compute<S>(0); }
  __device__ TileRows from(int64_t first) const { return {data + first * row, row, count - first, width}; }
};

// product[r] = own row r of a . row `lane` of b. Each tile is read once, 32 neighbouring elements by a warp.
template <class S, class T>
__device__ void multiply_rows(AttentionTiles<T>& tile, const TileRows<S>& a, const TileRows<S>& b, T (&product)[kOwnRows]) {
  for (int r = 0; r < kOwnRows; ++r) product[r] = 0;
  for (int64_t first = 0; first < a.width; first += kWarp) {
    for (int r = 0; r < kOwnRows; ++r) {
      tile.a[own_row(r)][lane()] = a.at(own_row(r), first + lane());
      tile.b[own_row(r)][lane()] = b.at(own_row(r), first + lane());
    }
    __syncthreads();
    const int piece = static_cast<int>(a.width - first < kWarp ? a.width - first : kWarp);
    for (int d = 0; d < piece; ++d)
      for (int r = 0; r < kOwnRows; ++r) product[r] += tile.a[own_row(r)][d] * tile.b[lane()][d];
    __syncthreads();
  }
}

// sum[r][c] += sum over t of weights[own row r][t] x[t][column + lane + 32 c]
template <class S, class T>
__device__ void add_columns(AttentionTiles<T>& tile, const T (&weights)[kTileRows][kWarp + 1], const TileRows<S>& x, int64_t column,
                            T (&sum)[kOwnRows][kOwnColumns]) {
  for (int r = 0; r < kOwnRows; ++r)
    for (int c = 0; c < kOwnColumns; ++c) tile.columns[own_row(r)][lane() + c * kWarp] = x.at(own_row(r), column + lane() + c * kWarp);
  __syncthreads();
  for (int t = 0; t < kTileRows; ++t)
    for (int c = 0; c < kOwnColumns; ++c) {
      const T value = tile.columns[t][lane() + c * kWarp];
      for (int r = 0; r < kOwnRows; ++r) sum[r][c] += weights[own_row(r)][t] * value;
    }
  __syncthreads();
}

// Own rows of a result, `scale` times the sums.
template <class S, class T>
__device__ void store_columns(S* y, int64_t row, int64_t count, int64_t width, int64_t column, const T (&sum)[kOwnRows][kOwnColumns],
                              const T (&scale)[kOwnRows]) {
  for (int r = 0; r < kOwnRows; ++r)
    for (int c = 0; c < kOwnColumns; ++c) {
      const int64_t d = column + lane() + c * kWarp;
      if (own_row(r) < count && d < width) y[own_row(r) * row + d] = narrow<S>(sum[r][c] * scale[r]);
    }
}

// Which part of the result a block makes: `rows` of each head by `width` columns, in tiles.
struct TileOfBlock {
  int64_t head, first, column;

  __device__ TileOfBlock(int64_t rows, int64_t width) {
    const int64_t across = (width + kTileColumns - 1) / kTileColumns, down = (rows + kTileRows - 1) / kTileRows;
    column = blockIdx.x % across * kTileColumns;
    first = blockIdx.x / across % down * kTileRows;
    head = blockIdx.x / (across * down);
  }
};
inline gpu::Launch launch_tiles(int64_t heads, int64_t rows, int64_t width, size_t shared, const Workspace& w) {
  const int64_t blocks = heads * blocks_for(rows, kTileRows) * blocks_for(width, kTileColumns);
  return {.grid = dim3(static_cast<unsigned>(blocks)), .block = kThreads, .smem = shared, .stream = stream_of(w)};
}

}  // namespace
}  // namespace tapetum::kernels
