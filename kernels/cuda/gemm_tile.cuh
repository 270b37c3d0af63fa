// The product of one block, for kernels that differ only in where their operands come from: c[i, j] = sum over l of a(i, l) b(j, l).
// An operand has lines (rows of a, columns of b) and steps (along l), and is 0 outside of both:
//   kAlongDepth          neighbours in memory are steps of one line; false: lines of one step
//   Line line(int64_t)   what its thread keeps of a line, e.g. its address
//   Step step(int64_t)   the same of a step
//   T read(Line, Step)
#pragma once
#include "kernels/cuda/neighbours.cuh"

namespace tapetum::kernels {
namespace {

// A block's tile is Rows x Columns, and passes along l in pieces of Depth; each thread sums Tall x Wide elements in registers.
template <class Element, int Rows, int Columns, int Depth, int Tall, int Wide> struct Tile {
  using T = Element;
  static constexpr int kRows = Rows, kColumns = Columns, kDepth = Depth, kTall = Tall, kWide = Wide;
  static constexpr int kThreads = (Rows / Tall) * (Columns / Wide);

  static constexpr int kGroup = 16 / sizeof(T);  // neighbours that a thread owns, reads and stores at once
  static_assert(Rows % kGroup == 0 && Columns % kGroup == 0 && Tall % kGroup == 0 && Wide % kGroup == 0);
  // Twice: one half is multiplied while the other fills. After each step a gap of one group: what one warp stores is spread over the banks.
  struct Shared {
    Neighbours<T, kGroup> a[2][Depth][Rows / kGroup + 1], b[2][Depth][Columns / kGroup + 1];
  };
  static constexpr int64_t down(int64_t rows) { return (rows + Rows - 1) / Rows; }
  static constexpr int64_t across(int64_t columns) { return (columns + Columns - 1) / Columns; }
};

// Eight gaps are all banks: a group of the next eight steps has its halves in each other's place. Line i of it lies at i ^ turn_of(step).
constexpr int turn_of(int step) { return step / 8 * 2; }

// The part of one thread in bringing kLines x kDepth elements of an operand to shared memory. Neighbouring threads read neighbouring elements.
template <class Operand, class T, int kLines, int kDepth, int kThreads> struct Fetch {
  static constexpr bool kAlongDepth = Operand::kAlongDepth;
  static constexpr int kCount = kLines * kDepth / kThreads;
  static_assert(kThreads % kLines == 0 || kAlongDepth);
  static_assert(kThreads % kDepth == 0 && kLines * kDepth % kThreads == 0);
  static_assert(kDepth <= 8 || (kDepth <= 16 && sizeof(T) == 4));  // turns

  const Operand& operand;
  typename Operand::Line lines[kAlongDepth ? kCount : 1];
  T held[kCount];

  __device__ static int line_of(int i) { return kAlongDepth ? threadIdx.x / kDepth + i * (kThreads / kDepth) : threadIdx.x % kLines; }
  __device__ static int step_of(int i) { return kAlongDepth ? threadIdx.x % kDepth : threadIdx.x / kLines + i * (kThreads / kLines); }

  __device__ Fetch(const Operand& o, int64_t first_line) : operand(o) {
#pragma unroll
    for (int i = 0; i < (kAlongDepth ? kCount : 1); ++i) lines[i] = o.line(first_line + line_of(i));
  }
  __device__ void load(int64_t first_step) {
    typename Operand::Step step{};
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      if (i == 0 || !kAlongDepth) step = operand.step(first_step + step_of(i));
      held[i] = operand.read(lines[kAlongDepth ? i : 0], step);
    }
  }
  template <int kGroup, int kGroups> __device__ void store(Neighbours<T, kGroup> (&tile)[kDepth][kGroups]) const {
#pragma unroll
    for (int i = 0; i < kCount; ++i) tile[step_of(i)][line_of(i) / kGroup].at[line_of(i) % kGroup ^ turn_of(step_of(i))] = held[i];
  }
};

// The lines of a step that one of kOwners threads owns: groups side by side, so that loads of a warp meet no bank twice.
template <int kOwners, class T, int kGroup, int kGroups, int kOwn>
__device__ void read_own(const Neighbours<T, kGroup> (&step)[kGroups], int owner, int turn, T (&own)[kOwn]) {
#pragma unroll
  for (int i = 0; i < kOwn; i += kGroup) {
    const Neighbours<T, kGroup> group = step[i / kGroup * kOwners + owner];
#pragma unroll
    for (int q = 0; q < kGroup; ++q) own[i + q] = group.at[q ^ turn];
  }
}
// Where its i-th line lies in the tile.
template <int kOwners, int kGroup> __device__ int place_of(int owner, int i) { return (i / kGroup * kOwners + owner) * kGroup + i % kGroup; }

// Calls store(i, j, sums) for elements (i, j + q) of the tile from (row, column) on, sums[q], those beyond the product included: 16 bytes of
// them, and j is a multiple of their number. l runs from `begin` to `end`.
// While one piece of the operands is multiplied, the next is on its way to registers, then to the other half of shared memory.
template <class Tile, class A, class B, class Store>
__device__ void multiply_tile(const A& a, const B& b, int64_t row, int64_t column, int64_t begin, int64_t end, Store store) {
  using T = typename Tile::T;
  constexpr int kAcross = Tile::kColumns / Tile::kWide, kDown = Tile::kRows / Tile::kTall, kGroup = Tile::kGroup;
  auto& [tile_a, tile_b] = *gpu::dynamic_shared<typename Tile::Shared>();
  const int across = threadIdx.x % kAcross, down = threadIdx.x / kAcross;

  Fetch<A, T, Tile::kRows, Tile::kDepth, Tile::kThreads> fetch_a(a, row);
  Fetch<B, T, Tile::kColumns, Tile::kDepth, Tile::kThreads> fetch_b(b, column);
  T sum[Tile::kTall][Tile::kWide] = {};
  if (begin < end) {
    fetch_a.load(begin), fetch_b.load(begin);
    fetch_a.store(tile_a[0]), fetch_b.store(tile_b[0]);
  }
  __syncthreads();
  int now = 0;
  for (int64_t l = begin; l < end; l += Tile::kDepth, now ^= 1) {
    const int64_t next = l + Tile::kDepth;
    if (next < end) fetch_a.load(next), fetch_b.load(next);
#pragma unroll
    for (int d = 0; d < Tile::kDepth; ++d) {
      T x[Tile::kTall], y[Tile::kWide];
      read_own<kDown>(tile_a[now][d], down, turn_of(d), x), read_own<kAcross>(tile_b[now][d], across, turn_of(d), y);
#pragma unroll
      for (int i = 0; i < Tile::kTall; ++i)
#pragma unroll
        for (int j = 0; j < Tile::kWide; ++j) sum[i][j] += x[i] * y[j];
    }
    if (next < end) fetch_a.store(tile_a[now ^ 1]), fetch_b.store(tile_b[now ^ 1]);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < Tile::kTall; ++i)
#pragma unroll
    for (int j = 0; j < Tile::kWide; j += kGroup) {
      T sums[kGroup];
#pragma unroll
      for (int q = 0; q < kGroup; ++q) sums[q] = sum[i][j + q];
      store(row + place_of<kDown, kGroup>(down, i), column + place_of<kAcross, kGroup>(across, j), sums);
    }
}

}  // namespace
}  // namespace tapetum::kernels
