// mma: a block of tensor-core warps for each tile of c, f16 and bf16; f32 as tf32 where float32_matmul_precision() is high. 2 m n k FLOPs;
// with tiles of r x s elements, a is read n / s times and b m / r times, from L2 for the most part.
// Where c has few tiles and the sums are long, the depth is split in parts, whose number follows from the shape: each leaves its sums in the
// workspace, in the order of its threads' registers, and a second kernel adds them up in order.
#include <algorithm>

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/matmul_chunks.cuh"
#include "kernels/cuda/mma_tile.cuh"
#include "kernels/matmul.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

// A chunk lies along whichever dimension is dense; the other one has any stride that keeps it aligned.
template <class T, bool along_depth> struct StridedChunks {
  static constexpr bool kAlongDepth = along_depth;
  const T* data;
  int lines, steps;
  int64_t stride;

  struct Span {
    int64_t offset;
    int count;  // elements of a chunk that exist
  };
  using Line = Span;
  using Step = Span;
  static constexpr int kChunk = 16 / sizeof(T);
  __device__ static Span dense(int i, int end) { return {i, max(0, min(kChunk, end - i))}; }
  __device__ Span apart(int i, int end) const { return {i * stride, i < end ? kChunk : 0}; }
  __device__ Line line(int i) const { return along_depth ? apart(i, lines) : dense(i, lines); }
  __device__ Step step(int l) const { return along_depth ? dense(l, steps) : apart(l, steps); }
  __device__ Chunk chunk(const Line& line, const Step& step) const {
    const int count = min(line.count, step.count);
    return {count ? data + line.offset + step.offset : data, count * static_cast<int>(sizeof(T))};
  }
};

struct Problem {
  MatmulArgs args;
  int parts, part_depth;
  float* sums;  // of the parts; null: there is one
  bool chunked_output;
};

// What a block computes: a part of the depth of a tile of a matrix of the batch.
struct Work {
  int64_t batch, tiles, tile;  // tile: counted through the batch
  TilePlace at;
  int part;
};
template <class Tile> __device__ Work work_of(const MatmulShape& z, int64_t block, int parts) {
  const int down = static_cast<int>(Tile::down(z.m)), across = static_cast<int>(Tile::across(z.n)), tiles = down * across;
  const int64_t tile = block / parts;
  return {tile / tiles, tiles * z.batch.count, tile, tile_in_panels(static_cast<int>(tile % tiles), down, across), static_cast<int>(block % parts)};
}

template <class Tile> __device__ float4* sums_of(const Problem& p, const Work& work, int part) {
  constexpr int64_t kTile = Tile::kRows * Tile::kColumns;
  return reinterpret_cast<float4*>(p.sums + (part * work.tiles + work.tile) * kTile) + threadIdx.x;
}

// Adds the bias and writes the i-th row of fragments.
template <class Tile> __device__ void finish(const Problem& p, const Work& work, const float (&sums)[Tile::kAcross][4], int i) {
  using T = typename Tile::T;
  const MatmulShape& z = p.args.shape;
  const int row = work.at.row * Tile::kRows, column = work.at.column * Tile::kColumns, m = static_cast<int>(z.m), n = static_cast<int>(z.n);
  const T* b = static_cast<const T*>(p.args.bias);
  T* c = static_cast<T*>(p.args.c) + offsets_of(z.batch, work.batch, z.batch.ndim).at[2];
  const auto bias = [&](int j) { return b && column + j < n ? widen(b[column + j]) : 0.0f; };
  store_fragments<T>(sums, Tile::warp_row() + i * 16, Tile::warp_column(), bias, [&](int i, int j, const auto& values) {
    if (row + i < m) store_run(c + (row + i) * z.c.row + (column + j) * z.c.column, z.c.column, values, n - column - j, p.chunked_output);
  });
}

template <class Tile, bool a_along_depth, bool b_along_depth>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks) matmul_mma_kernel(Problem p) {
  using T = typename Tile::T;
  const MatmulShape& z = p.args.shape;
  const Work work = work_of<Tile>(z, blockIdx.x, p.parts);
  const auto o = offsets_of(z.batch, work.batch, z.batch.ndim);
  const int m = static_cast<int>(z.m), n = static_cast<int>(z.n), k = static_cast<int>(z.k), begin = work.part * p.part_depth;
  const StridedChunks<T, a_along_depth> a{static_cast<const T*>(p.args.a) + o.at[0], m, k, a_along_depth ? z.a.row : z.a.column};
  const StridedChunks<T, b_along_depth> b{static_cast<const T*>(p.args.b) + o.at[1], n, k, b_along_depth ? z.b.column : z.b.row};
  typename Tile::Sums sums = {};
  multiply_mma<Tile>(sums, a, b, work.at.row * Tile::kRows, work.at.column * Tile::kColumns, begin, min(begin + p.part_depth, k));
#pragma unroll
  for (int i = 0; i < Tile::kDown; ++i) {
    if (!p.sums) {
      finish<Tile>(p, work, sums[i], i);
      continue;
    }
    float4* to = sums_of<Tile>(p, work, work.part);
#pragma unroll
    for (int j = 0; j < Tile::kAcross; ++j)
      to[(i * Tile::kAcross + j) * Tile::kThreads] = make_float4(sums[i][j][0], sums[i][j][1], sums[i][j][2], sums[i][j][3]);
  }
}

// A block for each row of fragments of a tile, with the threads that left them.
template <class Tile> __global__ void __launch_bounds__(Tile::kThreads) matmul_mma_add_parts_kernel(Problem p) {
  const int i = blockIdx.x % Tile::kDown;
  const Work work = work_of<Tile>(p.args.shape, blockIdx.x / Tile::kDown, 1);
  float sums[Tile::kAcross][4] = {};
  for (int part = 0; part < p.parts; ++part) {
    const float4* from = sums_of<Tile>(p, work, part) + i * Tile::kAcross * Tile::kThreads;
#pragma unroll
    for (int j = 0; j < Tile::kAcross; ++j) {
      const float4 v = from[j * Tile::kThreads];
      sums[j][0] += v.x, sums[j][1] += v.y, sums[j][2] += v.z, sums[j][3] += v.w;
    }
  }
  finish<Tile>(p, work, sums, i);
}

template <class T> using Large = MmaTile<T, 128, 128, 64, 32, 4>;
template <class T> using Small = MmaTile<T, 64, 64, 32, 32, 4>;

template <class Tile> int64_t tiles_of(const MatmulShape& z) { return Tile::down(z.m) * Tile::across(z.n) * z.batch.count; }

// Parts of whole stages, each long enough to pay for its share of the sums; together enough blocks for the device.
template <class Tile> Problem problem_of(const MatmulArgs& args) {
  constexpr int64_t kBlocks = 256, kLeast = 16 * Tile::kDepth;
  const auto ceil_div = [](int64_t x, int64_t y) { return (x + y - 1) / y; };
  const int64_t k = args.shape.k, wanted = std::max<int64_t>(1, std::min(kBlocks / std::max<int64_t>(1, tiles_of<Tile>(args.shape)), k / kLeast));
  const int64_t depth = ceil_div(ceil_div(k, wanted), int64_t{Tile::kDepth}) * Tile::kDepth;
  return {args, static_cast<int>(depth ? ceil_div(k, depth) : 1), static_cast<int>(depth), nullptr, has_chunked_output(args)};
}

template <class Tile> size_t workspace_bytes(const MatmulArgs& args) {
  const int64_t parts = problem_of<Tile>(args).parts;
  return parts == 1 ? 0 : static_cast<size_t>(parts * tiles_of<Tile>(args.shape) * Tile::kRows * Tile::kColumns) * sizeof(float);
}

template <class Tile> Status run(const MatmulArgs& args, const Workspace& workspace) {
  const MatmulShape& z = args.shape;
  Problem p = problem_of<Tile>(args);
  p.sums = static_cast<float*>(workspace.data);
  gpu::Launch at{.grid = dim3(static_cast<unsigned>(tiles_of<Tile>(z) * p.parts)),
                 .block = Tile::kThreads,
                 .smem = sizeof(typename Tile::Shared),
                 .stream = stream_of(workspace)};
  const bool a = is_a_along_depth(z), b = is_b_along_depth(z);
  const cudaError_t error =
      a ? (b ? gpu::launch<matmul_mma_kernel<Tile, true, true>>(at, p) : gpu::launch<matmul_mma_kernel<Tile, true, false>>(at, p))
        : (b ? gpu::launch<matmul_mma_kernel<Tile, false, true>>(at, p) : gpu::launch<matmul_mma_kernel<Tile, false, false>>(at, p));
  if (error != cudaSuccess || p.parts == 1) return status_of(error);
  at.grid = dim3(static_cast<unsigned>(tiles_of<Tile>(z) * Tile::kDown));
  at.smem = 0;
  return status_of(gpu::launch<matmul_mma_add_parts_kernel<Tile>>(at, p));
}

// Calls f with the tile for the call: a large one reads less, a small one leaves fewer multiprocessors idle.
template <class F> auto with_tile(const MatmulArgs& args, F f) {
  constexpr int64_t kEnoughTiles = 64;
  return with_single_type(args.shape.dtype, [&]<class T>() {
    return tiles_of<Large<T>>(args.shape) >= kEnoughTiles ? f.template operator()<Large<T>>() : f.template operator()<Small<T>>();
  });
}

bool supports(const MatmulArgs& args) {
  const MatmulShape& z = args.shape;
  if (z.dtype == DType::f64 || (z.dtype == DType::f32 && float32_matmul_precision() == Float32MatmulPrecision::highest)) return false;
  return is_chunked(args);
}
size_t workspace(const MatmulArgs& args) {
  return with_tile(args, [&]<class Tile>() { return workspace_bytes<Tile>(args); });
}
// Tensor cores cut off what they shift out of a sum, each 16 products once.
double error(const MatmulArgs& args) {
  constexpr double kTf32 = 0x1p13;  // 11 bits of each factor remain
  const double k = static_cast<double>(args.shape.k);
  return (args.shape.dtype == DType::f32 ? kTf32 : 4) + 2 * __builtin_sqrt(k) + k / 16;
}
Status run(const MatmulArgs& args, Workspace& workspace) {
  if (args.shape.m == 0 || args.shape.n == 0 || args.shape.batch.count == 0) return Status::ok;
  return with_tile(args, [&]<class Tile>() { return run<Tile>(args, workspace); });
}

}  // namespace

TAPETUM_CANDIDATE(MatmulArgs, matmul_mma_cuda){.name = "mma", .supports = supports, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
