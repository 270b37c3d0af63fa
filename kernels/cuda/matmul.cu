// dot: one warp for each element of c. For few rows or columns, where the other operand is read about once and tiles would be empty.
// tiled: one block for each tile of c; operands are read along whichever of their dimensions is dense.
//   With tiles of r x s elements, a is read n / s times and b m / r times.
// 16-bit operands are widened on the way to shared memory, so that sums are in float.
#include "kernels/matmul.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/gemm_tile.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

bool supports(const MatmulArgs&) { return true; }

constexpr int64_t kFew = 4;  // rows or columns

template <class T> __global__ void __launch_bounds__(kThreads) matmul_dot_kernel(MatmulArgs args) {
  const MatmulShape& z = args.shape;
  const int64_t element = thread_number() / kWarp;
  if (element >= z.batch.count * z.m * z.n) return;
  const int64_t i = element / z.n % z.m, j = element % z.n;
  const auto o = offsets_of(z.batch, element / (z.n * z.m), z.batch.ndim);
  const T* a = static_cast<const T*>(args.a) + o.at[0] + i * z.a.row;
  const T* b = static_cast<const T*>(args.b) + o.at[1] + j * z.b.column;
  Compute<T> sum = 0;
  for (int64_t l = threadIdx.x % kWarp; l < z.k; l += kWarp) sum += widen(a[l * z.a.column]) * widen(b[l * z.b.row]);
  sum = sum_lanes(sum);
  if (threadIdx.x % kWarp != 0) return;
  if (args.bias) sum += widen(static_cast<const T*>(args.bias)[j]);
  static_cast<T*>(args.c)[o.at[2] + i * z.c.row + j * z.c.column] = narrow<T>(sum);
}

bool supports_dot(const MatmulArgs& a) { return std::min(a.shape.m, a.shape.n) <= kFew; }
// The larger operand, b of few rows and a of few columns, lies along the depth.
bool prefers_dot(const MatmulArgs& a) {
  const MatmulShape& z = a.shape;
  return z.k >= kWarp && (z.m <= z.n ? z.b.row <= z.b.column : z.a.column <= z.a.row);
}

Status run_dot(const MatmulArgs& args, Workspace& workspace) {
  const int64_t count = args.shape.batch.count * args.shape.m * args.shape.n;
  if (count == 0) return Status::ok;
  const gpu::Launch at = launch_threads(count, workspace, kWarp);
  return with_floating_type(args.shape.dtype, [&]<class T>() { return status_of(gpu::launch<matmul_dot_kernel<T>>(at, args)); });
}

template <class T, bool along_depth> struct StridedOperand {
  static constexpr bool kAlongDepth = along_depth;
  const T* data;
  int64_t lines, steps, line_stride, step_stride;

  using Line = const T*;  // null: outside
  struct Step {
    int64_t offset;
    bool inside;
  };
  __device__ Line line(int64_t i) const { return i < lines ? data + i * line_stride : nullptr; }
  __device__ Step step(int64_t l) const { return {l * step_stride, l < steps}; }
  __device__ Compute<T> read(Line line, Step step) const { return line && step.inside ? widen(line[step.offset]) : Compute<T>(0); }
};

// c, or its transpose where that has neighbouring columns in memory.
struct Problem {
  MatmulArgs args;
  bool transposed;  // the bias goes with the rows
};

Problem with_dense_rows(const MatmulArgs& args) {
  const MatmulShape& z = args.shape;
  Problem p{args, z.c.row < z.c.column && z.m > 1};
  if (!p.transposed) return p;
  MatmulShape& t = p.args.shape;
  for (int64_t d = 0; d < z.batch.ndim; ++d) std::swap(t.batch.stride[0][d], t.batch.stride[1][d]);
  std::swap(p.args.a, p.args.b), std::swap(t.m, t.n);
  t.a = {z.b.column, z.b.row}, t.b = {z.a.column, z.a.row}, t.c = {z.c.column, z.c.row};
  return p;
}

template <class T, class Tile, bool a_along_depth, bool b_along_depth>
__global__ void __launch_bounds__(Tile::kThreads, 2) matmul_tiled_kernel(Problem p) {
  const MatmulShape& z = p.args.shape;
  const int64_t across = Tile::across(z.n), down = Tile::down(z.m), block = blockIdx.x;
  const auto o = offsets_of(z.batch, block / (across * down), z.batch.ndim);
  const StridedOperand<T, a_along_depth> a{static_cast<const T*>(p.args.a) + o.at[0], z.m, z.k, z.a.row, z.a.column};
  const StridedOperand<T, b_along_depth> b{static_cast<const T*>(p.args.b) + o.at[1], z.n, z.k, z.b.column, z.b.row};
  const auto bias = static_cast<const T*>(p.args.bias);
  T* const c = static_cast<T*>(p.args.c) + o.at[2];
  const auto store = [&](int64_t i, int64_t j, const auto& sums) {
    if (i < z.m)
      write_neighbours<Tile::kGroup>(
          z.n - j, [&](int q) { return c + i * z.c.row + (j + q) * z.c.column; },
          [&](int q) { return narrow<T>(bias ? sums[q] + widen(bias[p.transposed ? i : j + q]) : sums[q]); });
  };
  multiply_tile<Tile>(a, b, block / across % down * Tile::kRows, block % across * Tile::kColumns, 0, z.k, store);
}

template <class Tile> int64_t tiles_of(const MatmulShape& z) { return Tile::down(z.m) * Tile::across(z.n) * z.batch.count; }

template <class T, class Tile> Status launch(const Problem& p, const Workspace& workspace) {
  const MatmulShape& z = p.args.shape;
  const gpu::Launch at{.grid = dim3(static_cast<unsigned>(tiles_of<Tile>(z))),
                       .block = Tile::kThreads,
                       .smem = sizeof(typename Tile::Shared),
                       .stream = stream_of(workspace)};
  const bool a_along_depth = z.a.column <= z.a.row, b_along_depth = z.b.row < z.b.column;
  if (a_along_depth)
    return status_of(b_along_depth ? gpu::launch<matmul_tiled_kernel<T, Tile, true, true>>(at, p)
                                   : gpu::launch<matmul_tiled_kernel<T, Tile, true, false>>(at, p));
  return status_of(b_along_depth ? gpu::launch<matmul_tiled_kernel<T, Tile, false, true>>(at, p)
                                 : gpu::launch<matmul_tiled_kernel<T, Tile, false, false>>(at, p));
}

// A large tile reads less, a small one leaves fewer multiprocessors idle.
constexpr int64_t kEnoughBlocks = 128;
using Large = Tile<float, 128, 128, 8, 8, 8>;
using Small = Tile<float, 64, 64, 16, 4, 4>;
using Double = Tile<double, 64, 64, 8, 4, 4>;

Status run_tiled(const MatmulArgs& args, Workspace& workspace) {
  const MatmulShape& z = args.shape;
  if (z.m == 0 || z.n == 0 || z.batch.count == 0) return Status::ok;
  const Problem p = with_dense_rows(args);
  return with_floating_type(z.dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, double>)
      return launch<T, Double>(p, workspace);
    else
      return tiles_of<Large>(z) >= kEnoughBlocks ? launch<T, Large>(p, workspace) : launch<T, Small>(p, workspace);
  });
}

}  // namespace

TAPETUM_CANDIDATE(MatmulArgs, matmul_dot_cuda){
    .name = "dot", .supports = supports_dot, .prefers = prefers_dot, .error = matmul_error, .run = run_dot};
TAPETUM_CANDIDATE(MatmulArgs, matmul_tiled_cuda){.name = "tiled", .supports = supports, .error = matmul_error, .run = run_tiled};

}  // namespace tapetum::kernels
