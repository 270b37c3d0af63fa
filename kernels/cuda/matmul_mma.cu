// mma: a block of tensor-core warps for each tile of c, f16 and bf16; f32 as
// tf32 where float32_matmul_precision() is high. 2 m n k FLOPs; with tiles of r
// x s elements, a is read n / s times and b m / r times, from L2 for the most
// part.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/matmul_chunks.cuh"
#include "kernels/cuda/mma_product.cuh"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

// A chunk lies along whichever dimension is dense; the other one has any stride
// that keeps it aligned.
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

template <class T, bool a_along_depth, bool b_along_depth> struct MatrixProduct {
  MatmulArgs args;
  bool chunked_output;
  int rows, columns, depth, count;
  explicit MatrixProduct(const MatmulArgs& m)
      : args(m),
        chunked_output(has_chunked_output(m)),
        rows(static_cast<int>(m.shape.m)),
        columns(static_cast<int>(m.shape.n)),
        depth(static_cast<int>(m.shape.k)),
        count(static_cast<int>(m.shape.batch.count)) {}

  __device__ int64_t offset(int z, int operand) const { return offsets_of(args.shape.batch, z, args.shape.batch.ndim).at[operand]; }
  __device__ StridedChunks<T, a_along_depth> a(int z) const {
    return {static_cast<const T*>(args.a) + offset(z, 0), rows, depth, a_along_depth ? args.shape.a.row : args.shape.a.column};
  }
  __device__ StridedChunks<T, b_along_depth> b(int z) const {
    return {static_cast<const T*>(args.b) + offset(z, 1), columns, depth, b_along_depth ? args.shape.b.column : args.shape.b.row};
  }
  template <int kAcross> __device__ void finish(int z, const float (&sums)[kAcross][4], int row, int column) const {
    const T* bias = static_cast<const T*>(args.bias);
    T* c = static_cast<T*>(args.c) + offset(z, 2);
    const Matrix& stride = args.shape.c;
    const auto bias_of = [&](int j) { return bias && j < columns ? widen(bias[j]) : 0.0f; };
    store_fragments<T>(sums, row, column, bias_of, [&](int i, int j, const auto& run) {
      if (i < rows) store_run(c + i * stride.row + j * stride.column, stride.column, run, columns - j, chunked_output);
    });
  }
};

template <class Tile, bool a_along_depth, bool b_along_depth>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    matmul_mma_kernel(MatrixProduct<typename Tile::T, a_along_depth, b_along_depth> p, Parts parts) {
  multiply_part<Tile>(p, parts);
}
template <class Tile, bool a_along_depth, bool b_along_depth>
__global__ void __launch_bounds__(Tile::kThreads)
    matmul_mma_add_parts_kernel(MatrixProduct<typename Tile::T, a_along_depth, b_along_depth> p, Parts parts) {
  add_parts<Tile>(p, parts);
}

template <class T> using Large = MmaTile<T, 128, 128, 64, 32, 4>;
template <class T> using Small = MmaTile<T, 64, 64, 32, 32, 4>;

// Calls f with the tile for the call and the product: a large tile reads less,
// a small one leaves fewer multiprocessors idle.
template <class F> auto with_tile(const MatmulArgs& args, F f) {
  return with_single_type(args.shape.dtype, [&]<class T>() {
    const MatrixProduct<T, true, true> p(args);
    return prefers_large<Large<T>>(p) ? f.template operator()<Large<T>>(p) : f.template operator()<Small<T>>(p);
  });
}

template <class Tile, bool a_along_depth, bool b_along_depth> Status launch(const MatmulArgs& args, const Workspace& workspace) {
  const MatrixProduct<typename Tile::T, a_along_depth, b_along_depth> p(args);
  return launch_product<Tile, matmul_mma_kernel<Tile, a_along_depth, b_along_depth>, matmul_mma_add_parts_kernel<Tile, a_along_depth, b_along_depth>>(
      p, workspace.data, stream_of(workspace));
}

bool supports(const MatmulArgs& args) {
  const MatmulShape& z = args.shape;
  if (z.dtype == DType::f64 || (z.dtype == DType::f32 && float32_matmul_precision() == Float32MatmulPrecision::highest)) return false;
  return is_chunked(args);
}
size_t workspace(const MatmulArgs& args) {
  return with_tile(args, [&]<class Tile>(const auto& p) { return bytes_of_parts<Tile>(p); });
}
// Tensor cores cut off what they shift out of a sum, each 16 products once.
double error(const MatmulArgs& args) {
  constexpr double kTf32 = 0x1p13;  // 11 bits of each factor remain
  const double k = static_cast<double>(args.shape.k);
  return (args.shape.dtype == DType::f32 ? kTf32 : 4) + 2 * __builtin_sqrt(k) + k / 16;
}
Status run(const MatmulArgs& args, Workspace& workspace) {
  const bool a = is_a_along_depth(args.shape), b = is_b_along_depth(args.shape);
  return with_tile(args, [&]<class Tile>(const auto&) {
    if (a) return b ? launch<Tile, true, true>(args, workspace) : launch<Tile, true, false>(args, workspace);
    return b ? launch<Tile, false, true>(args, workspace) : launch<Tile, false, false>(args, workspace);
  });
}

}  // namespace

TAPETUM_CANDIDATE(MatmulArgs, matmul_mma_cuda){.name = "mma", .supports = supports, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
