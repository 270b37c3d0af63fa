// The product of one block on tensor cores (sm_80): c[i, j] = sum over l of a(i, l) b(j, l), summed in f32. An operand has lines (rows of a,
// columns of b) and steps (along l). cp.async brings it to shared memory in chunks of 16 bytes, several stages ahead:
//   kAlongDepth               a chunk is neighbouring steps of one line; false: neighbouring lines of one step
//   Line line(int)            what its thread keeps of a line, or of the first one of a chunk
//   Step step(int)            the same of a step
//   Chunk chunk(Line, Step)   where the chunk lies, and how much of it exists: the rest is 0
// Elements are f16, bf16, or f32 rounded to tf32.
#pragma once
#include <type_traits>

#include "kernels/cuda/gpu/ptx.cuh"
#include "kernels/types.h"

namespace tapetum::kernels {
namespace {

struct Chunk {
  const void* data;
  int bytes;
};

// A block's tile is Rows x Columns, of which each warp sums WarpRows x WarpColumns in registers: fragments of 16 x 8.
template <class Element, int Rows, int Columns, int WarpRows, int WarpColumns, int Stages> struct MmaTile {
  using T = Element;
  static constexpr int kRows = Rows, kColumns = Columns, kWarpRows = WarpRows, kWarpColumns = WarpColumns, kStages = Stages;
  static constexpr int kChunk = 16 / sizeof(T), kDepthChunks = 4, kDepth = kDepthChunks * kChunk;  // of a stage
  static constexpr int kWarpsAcross = Columns / WarpColumns, kThreads = Rows / WarpRows * kWarpsAcross * 32;
  static constexpr int kDown = WarpRows / 16, kAcross = WarpColumns / 8;  // fragments of a warp
  static constexpr int kBlocks = sizeof(T) == 2 ? 2 : 1;                  // of a multiprocessor, for which registers suffice
  using Sums = float[kDown][kAcross][4];
  struct Shared {
    uint4 a[Stages][Rows * kDepthChunks];
    uint4 b[Stages][Columns * kDepthChunks];
  };
  static constexpr int64_t down(int64_t rows) { return (rows + Rows - 1) / Rows; }
  static constexpr int64_t across(int64_t columns) { return (columns + Columns - 1) / Columns; }

  // Of the thread's warp within the tile.
  __device__ static int warp_row() { return threadIdx.x / 32 / kWarpsAcross * WarpRows; }
  __device__ static int warp_column() { return threadIdx.x / 32 % kWarpsAcross * WarpColumns; }
};

// Where a chunk lies in a tile whose rows have kRow chunks. The 8 chunks that ldmatrix reads at once, one of each row, and the 4 x 8 words
// that a warp reads of a tile of f32 lie in different banks.
template <class T, int kRow> __device__ int place_of_chunk(int row, int chunk) {
  const int moved = kRow == 4 ? row / 2 % 4 : sizeof(T) == 4 ? row % 4 * 2 : row % 8;
  return row * kRow + (chunk ^ moved);
}

// The part of one thread in bringing kLines x kDepth elements of an operand. Neighbouring threads copy neighbouring chunks.
template <class Tile, class Operand, int kLines> struct ChunkFetch {
  static constexpr bool kAlongDepth = Operand::kAlongDepth;
  static constexpr int kRow = kAlongDepth ? Tile::kDepthChunks : kLines / Tile::kChunk;
  static constexpr int kCount = kLines * Tile::kDepthChunks / Tile::kThreads;
  static_assert(Tile::kThreads % kRow == 0 && kLines * Tile::kDepthChunks % Tile::kThreads == 0);

  const Operand& operand;
  typename Operand::Line lines[kAlongDepth ? kCount : 1];

  __device__ static int row(int i) { return threadIdx.x / kRow + i * (Tile::kThreads / kRow); }
  __device__ static int column() { return threadIdx.x % kRow; }

  __device__ ChunkFetch(const Operand& o, int first_line) : operand(o) {
#pragma unroll
    for (int i = 0; i < (kAlongDepth ? kCount : 1); ++i) lines[i] = o.line(first_line + (kAlongDepth ? row(i) : column() * Tile::kChunk));
  }
  __device__ void start(int first_step, uint4* tile) const {
    typename Operand::Step step{};
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      if (i == 0 || !kAlongDepth) step = operand.step(first_step + (kAlongDepth ? column() * Tile::kChunk : row(i)));
      const Chunk c = operand.chunk(lines[kAlongDepth ? i : 0], step);
      ptx::cp_async_part<16>(&tile[place_of_chunk<typename Tile::T, kRow>(row(i), column())], c.data, c.bytes);
    }
  }
};

// 16 lines x 32 bytes of steps in the registers that mma gives them: of a, {lines 0-7, 8-15} of the first, then of the second half of the
// steps; of b both halves of lines 0-7, then of 8-15.
template <class Tile, bool is_a, bool along_depth> __device__ void load_fragments(uint32_t (&r)[4], const uint4* tile, int line, int step) {
  using T = typename Tile::T;
  constexpr int kRow = along_depth ? Tile::kDepthChunks : (is_a ? Tile::kRows : Tile::kColumns) / Tile::kChunk;
  const int lane = threadIdx.x % 32, row = lane % 8, line_half = is_a ? lane / 8 % 2 : lane / 16, step_half = is_a ? lane / 16 : lane / 8 % 2;
  if constexpr (along_depth) {
    ptx::ldmatrix_x4(r, &tile[place_of_chunk<T, kRow>(line + line_half * 8 + row, step * 2 + step_half)]);
  } else if constexpr (sizeof(T) == 2) {
    ptx::ldmatrix_x4<true>(r, &tile[place_of_chunk<T, kRow>(step * 16 + step_half * 8 + row, line / 8 + line_half)]);
  } else {  // ldmatrix does not transpose 32-bit words
#pragma unroll
    for (int q = 0; q < 4; ++q) {
      const int at = line + (is_a ? q % 2 : q / 2) * 8 + lane / 4;
      const uint4& chunk = tile[place_of_chunk<T, kRow>(step * 8 + (is_a ? q / 2 : q % 2) * 4 + lane % 4, at / 4)];
      r[q] = reinterpret_cast<const uint32_t*>(&chunk)[at % 4];
    }
  }
  if constexpr (sizeof(T) == 4)
#pragma unroll
    for (uint32_t& word : r) word = ptx::cvt_tf32(__uint_as_float(word));
}

template <class T> __device__ void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  if constexpr (std::is_same_v<T, Half>)
    ptx::mma_m16n8k16_f16(d, a, b);
  else if constexpr (std::is_same_v<T, BFloat16>)
    ptx::mma_m16n8k16_bf16(d, a, b);
  else
    ptx::mma_m16n8k8_tf32(d, a, b);
}

// What a warp multiplies at once.
template <class Tile, bool a_along_depth, bool b_along_depth> struct Fragments {
  uint32_t a[Tile::kDown][4], b[Tile::kAcross][2];

  __device__ void load(const uint4* tile_a, const uint4* tile_b, int step) {
#pragma unroll
    for (int i = 0; i < Tile::kDown; ++i) load_fragments<Tile, true, a_along_depth>(a[i], tile_a, Tile::warp_row() + i * 16, step);
#pragma unroll
    for (int j = 0; j < Tile::kAcross; j += 2) {
      uint32_t r[4];
      load_fragments<Tile, false, b_along_depth>(r, tile_b, Tile::warp_column() + j * 8, step);
      b[j][0] = r[0], b[j][1] = r[1], b[j + 1][0] = r[2], b[j + 1][1] = r[3];
    }
  }
  __device__ void multiply(typename Tile::Sums& sums) const {
#pragma unroll
    for (int i = 0; i < Tile::kDown; ++i)
#pragma unroll
      for (int j = 0; j < Tile::kAcross; ++j) mma<typename Tile::T>(sums[i][j], a[i], b[j]);
  }
};

// Adds the products of the tile from (row, column) on; l runs from `begin` to `end`. While a stage is multiplied, the next ones arrive.
template <class Tile, class A, class B>
__device__ void multiply_mma(typename Tile::Sums& sums, const A& a, const B& b, int row, int column, int begin, int end) {
  constexpr int kStages = Tile::kStages;
  auto& [tile_a, tile_b] = *gpu::dynamic_shared<typename Tile::Shared>();
  const ChunkFetch<Tile, A, Tile::kRows> fetch_a(a, row);
  const ChunkFetch<Tile, B, Tile::kColumns> fetch_b(b, column);
  const auto start = [&](int step, int stage) {
    if (step < end) fetch_a.start(step, tile_a[stage]), fetch_b.start(step, tile_b[stage]);
    ptx::cp_async_commit();  // an empty group too, so that the number of groups tells the stage
  };
#pragma unroll
  for (int stage = 0; stage < kStages - 1; ++stage) start(begin + stage * Tile::kDepth, stage);

  int stage = 0;
  for (int l = begin; l < end; l += Tile::kDepth, stage = (stage + 1) % kStages) {
    ptx::cp_async_wait<kStages - 2>();
    __syncthreads();  // everybody's part of this stage is there, and the stage before is free
    start(l + (kStages - 1) * Tile::kDepth, (stage + kStages - 1) % kStages);
    Fragments<Tile, A::kAlongDepth, B::kAlongDepth> now[2];
    now[0].load(tile_a[stage], tile_b[stage], 0);
    now[1].load(tile_a[stage], tile_b[stage], 1);
    now[0].multiply(sums);
    now[1].multiply(sums);
  }
}

// Word j of lane t of each four lanes goes to word t of lane j.
__device__ inline void transpose_quad(uint32_t (&w)[4]) {
#pragma unroll
  for (int bit = 1; bit < 4; bit *= 2)
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (j & bit) continue;
      const bool upper = threadIdx.x & bit;
      const uint32_t got = __shfl_xor_sync(0xffffffff, upper ? w[j] : w[j | bit], bit);
      (upper ? w[j] : w[j | bit]) = got;
    }
}

template <class T> __device__ uint32_t pack(float low, float high) {
  return std::is_same_v<T, Half> ? ptx::pack_f16(low, high) : ptx::pack_bf16(low, high);
}

// Calls store(i, j, values) for a row of fragments from (row, column) on: runs of neighbouring columns from j on, of 8 elements (after lanes
// exchanged their pairs), in f32 of 2. bias(j) is added; then finish(i, j, pair) may change the elements (i, j) and (i, j + 1).
template <class T, int kAcross, class Bias, class Finish, class Store>
__device__ void store_fragments(const float (&sums)[kAcross][4], int row, int column, Bias bias, Finish finish, Store store) {
  static_assert(kAcross % 4 == 0);
  const int lane = threadIdx.x % 32, pair = lane % 4 * 2;
  row += lane / 4;
#pragma unroll
  for (int first = 0; first < kAcross; first += 4, column += 32) {
    float b[4][2];
#pragma unroll
    for (int j = 0; j < 4; ++j) b[j][0] = bias(column + j * 8 + pair), b[j][1] = bias(column + j * 8 + pair + 1);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float values[4][2];
#pragma unroll
      for (int j = 0; j < 4; ++j)
#pragma unroll
        for (int q = 0; q < 2; ++q) values[j][q] = sums[first + j][half * 2 + q] + b[j][q];
#pragma unroll
      for (int j = 0; j < 4; ++j) finish(row + half * 8, column + j * 8 + pair, values[j]);
      if constexpr (sizeof(T) == 4) {
#pragma unroll
        for (int j = 0; j < 4; ++j) store(row + half * 8, column + j * 8 + pair, values[j]);
      } else {
        uint32_t words[4];
#pragma unroll
        for (int j = 0; j < 4; ++j) words[j] = pack<T>(values[j][0], values[j][1]);
        transpose_quad(words);
        T run[8];
        memcpy(run, words, sizeof run);
        store(row + half * 8, column + lane % 4 * 8, run);
      }
    }
  }
}

template <class T, int kAcross, class Bias, class Store>
__device__ void store_fragments(const float (&sums)[kAcross][4], int row, int column, Bias bias, Store store) {
  store_fragments<T>(
      sums, row, column, bias, [](int, int, float(&)[2]) {}, store);
}

// The first `count` of N elements: at once where the place is known to be aligned for that.
template <class T, int N> __device__ void store_run(T* to, int64_t stride, const T (&values)[N], int count, bool aligned) {
  using Vector = std::conditional_t<N * sizeof(T) == 16, uint4, uint2>;
  static_assert(N * sizeof(T) == sizeof(Vector));
  if (aligned && count >= N) {
    Vector v;
    memcpy(&v, values, sizeof v);
    *reinterpret_cast<Vector*>(to) = v;
    return;
  }
#pragma unroll
  for (int i = 0; i < N; ++i)
    if (i < count) to[i * stride] = values[i];
}

// Tiles of a matrix in an order in which blocks that run at the same time share rows and columns: down in panels of 8 rows of tiles.
struct TilePlace {
  int row, column;
};
__device__ inline TilePlace tile_in_panels(int tile, int down, int across) {
  constexpr int kPanel = 8;
  const int panel = tile / (kPanel * across), in_panel = tile % (kPanel * across), rows = min(kPanel, down - panel * kPanel);
  return {panel * kPanel + in_panel % rows, in_panel / rows};
}

}  // namespace
}  // namespace tapetum::kernels
