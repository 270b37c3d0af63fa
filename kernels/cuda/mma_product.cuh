// Products of one shape on tensor cores, a block for each tile of each. Where those are few and the sums are long, the depth is split in
// parts, whose number follows from the shape: each leaves its sums in the workspace, in the order of its threads' registers, and a second
// kernel adds them up in order. A Product has
//   int rows, columns, depth, count          of each, and how many there are
//   a(z), b(z)                               operands of multiply_mma for the z-th
//   finish(z, sums, row, column)             writes a row of fragments from (row, column) on
#pragma once
#include <algorithm>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/mma_tile.cuh"
#include "kernels/round.h"

namespace tapetum::kernels {
namespace {

struct Parts {
  int count, depth;
  float* sums;  // null: there is one part
};

template <class Tile, class Product> int64_t tiles_of(const Product& p) { return Tile::down(p.rows) * Tile::across(p.columns) * p.count; }

// Parts of whole stages, each long enough to pay for its share of the sums; together enough blocks for the device.
template <class Tile, class Product> Parts parts_of(const Product& p) {
  constexpr int64_t kBlocks = 256, kLeast = 16 * Tile::kDepth;
  const int64_t wanted = std::max<int64_t>(1, std::min<int64_t>(kBlocks / std::max<int64_t>(1, tiles_of<Tile>(p)), p.depth / kLeast));
  const int64_t depth = std::max<int64_t>(Tile::kDepth, round_up(ceil_div(p.depth, wanted), Tile::kDepth));
  return {static_cast<int>(std::max<int64_t>(1, ceil_div(p.depth, depth))), static_cast<int>(depth), nullptr};
}
template <class Tile, class Product> size_t bytes_of_parts(const Product& p) {
  const int64_t parts = parts_of<Tile>(p).count;
  return parts == 1 ? 0 : static_cast<size_t>(parts * tiles_of<Tile>(p) * Tile::kRows * Tile::kColumns) * sizeof(float);
}

// A large tile reads less, a small one leaves less of it empty and fewer multiprocessors idle.
template <class Large, class Product> bool prefers_large(const Product& p) {
  constexpr int64_t kEnoughBlocks = 64;
  return p.rows > Large::kRows / 2 && p.columns > Large::kColumns / 2 && tiles_of<Large>(p) * parts_of<Large>(p).count >= kEnoughBlocks;
}

struct TileWork {
  int z, row, column;
  float4* sums;  // this thread's share of a part's
};
template <class Tile, class Product> __device__ TileWork work_of(const Product& p, const Parts& parts, int tile, int part) {
  const int down = static_cast<int>(Tile::down(p.rows)), across = static_cast<int>(Tile::across(p.columns)), z = tile / (down * across);
  const TilePlace at = tile_in_panels(tile - z * down * across, down, across);
  float* sums = parts.sums + (int64_t{part} * down * across * p.count + tile) * (Tile::kRows * Tile::kColumns);
  return {z, at.row * Tile::kRows, at.column * Tile::kColumns, reinterpret_cast<float4*>(sums) + threadIdx.x};
}

template <class Tile, class Product>
__device__ void finish_row(const Product& p, const TileWork& work, const float (&sums)[Tile::kAcross][4], int i) {
  p.finish(work.z, sums, work.row + Tile::warp_row() + i * 16, work.column + Tile::warp_column());
}

// What a block of the first kernel does.
template <class Tile, class Product> __device__ void multiply_part(const Product& p, const Parts& parts) {
  const int tile = blockIdx.x / parts.count, part = blockIdx.x % parts.count, begin = part * parts.depth;
  const TileWork work = work_of<Tile>(p, parts, tile, part);
  typename Tile::Sums sums = {};
  multiply_mma<Tile>(sums, p.a(work.z), p.b(work.z), work.row, work.column, begin, min(begin + parts.depth, p.depth));
#pragma unroll
  for (int i = 0; i < Tile::kDown; ++i) {
    if (!parts.sums) {
      finish_row<Tile>(p, work, sums[i], i);
      continue;
    }
#pragma unroll
    for (int j = 0; j < Tile::kAcross; ++j)
      work.sums[(i * Tile::kAcross + j) * Tile::kThreads] = make_float4(sums[i][j][0], sums[i][j][1], sums[i][j][2], sums[i][j][3]);
  }
}

// Of the second: a row of fragments of a tile, by the threads that left them.
template <class Tile, class Product> __device__ void add_parts(const Product& p, const Parts& parts) {
  const int i = blockIdx.x % Tile::kDown, tile = blockIdx.x / Tile::kDown;
  float sums[Tile::kAcross][4] = {};
  for (int part = 0; part < parts.count; ++part) {
    const float4* from = work_of<Tile>(p, parts, tile, part).sums + i * Tile::kAcross * Tile::kThreads;
#pragma unroll
    for (int j = 0; j < Tile::kAcross; ++j) {
      const float4 v = from[j * Tile::kThreads];
      sums[j][0] += v.x, sums[j][1] += v.y, sums[j][2] += v.z, sums[j][3] += v.w;
    }
  }
  finish_row<Tile>(p, work_of<Tile>(p, parts, tile, 0), sums, i);
}

// `sums`: the workspace for bytes_of_parts.
template <class Tile, auto multiply_kernel, auto add_kernel, class Product> Status launch_product(const Product& p, void* sums, cudaStream_t stream) {
  Parts parts = parts_of<Tile>(p);
  if (parts.count > 1) parts.sums = static_cast<float*>(sums);
  const int64_t tiles = tiles_of<Tile>(p);
  if (tiles == 0) return Status::ok;
  const gpu::Launch multiply{
      .grid = dim3(static_cast<unsigned>(tiles * parts.count)), .block = Tile::kThreads, .smem = sizeof(typename Tile::Shared), .stream = stream};
  const cudaError_t error = gpu::launch<multiply_kernel>(multiply, p, parts);
  if (error != cudaSuccess || parts.count == 1) return status_of(error);
  const gpu::Launch add{.grid = dim3(static_cast<unsigned>(tiles * Tile::kDown)), .block = Tile::kThreads, .stream = stream};
  return status_of(gpu::launch<add_kernel>(add, p, parts));
}

}  // namespace
}  // namespace tapetum::kernels
