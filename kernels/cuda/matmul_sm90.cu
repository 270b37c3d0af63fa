// hopper: f16 and bf16 by the instructions of sm_90a. One thread of the first four warps copies tiles of a and b to a ring of stages (TMA);
// two groups of four warps multiply them from there (wgmma), 64 x 256 elements each. A block stays on its multiprocessor and takes tiles of
// c one after another, so that the next tile is on its way while this one is stored. 2 m n k FLOPs for each matrix of the batch; a is read n / 256
// times and b m / 128 times, from L2 for the most part.
#include <algorithm>

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/gpu/hopper.cuh"
#include "kernels/cuda/gpu/properties.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/matmul_chunks.cuh"
#include "kernels/cuda/mma_tile.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kGroup = 128, kConsumers = 2, kBlock = (1 + kConsumers) * kGroup;           // threads
constexpr int kTileRows = 64 * kConsumers, kTileColumns = 256, kDepth = 64, kStages = 4;  // a line of a stage has the 128 bytes of a swizzle

struct Shared {
  uint16_t a[kStages][kTileRows * kDepth], b[kStages][kTileColumns * kDepth];
  uint64_t full[kStages], empty[kStages];
};

struct Problem {
  const void* bias;
  void* c;
  Matrix strides;  // of c
  int64_t matrix_stride;
  int m, n, k, count;
  bool chunked_output;
};

// A batch of matrices as TMA sees it: one that repeats is there once.
struct MatrixMap {
  gpu::TensorMap map;
  bool repeats;
};

// All tiles of the first matrix, then those of the next one.
struct Tiles {
  int down, across, count;
  __device__ explicit Tiles(const Problem& p)
      : down((p.m + kTileRows - 1) / kTileRows), across((p.n + kTileColumns - 1) / kTileColumns), count(p.count * down * across) {}

  struct Place {
    int z, row, column;
  };
  __device__ Place operator[](int tile) const {
    const int z = tile / (down * across);
    const TilePlace at = tile_in_panels(tile - z * down * across, down, across);
    return {z, at.row * kTileRows, at.column * kTileColumns};
  }
};

// The place in the ring of the block's i-th step, and the parity of its rounds.
struct Turn {
  int stage, parity;
  __device__ explicit Turn(int i) : stage(i % kStages), parity(i / kStages % 2) {}
};

// Lines of 64 steps come as one box; steps of many lines as boxes of 64 x 64.
template <bool along_depth, int kLines> __device__ void load(uint16_t* to, const MatrixMap& x, int z, int line, int step, uint64_t* full) {
  if (x.repeats) z = 0;
  if constexpr (along_depth)
    ptx::tma_load_3d(to, &x.map, step, line, z, full);
  else
    for (int i = 0; i < kLines; i += 64) ptx::tma_load_3d(to + i * kDepth, &x.map, line + i, step, z, full);
}
// 16 steps of the lines from `line` on. Groups of 8 rows are 1024 bytes apart, boxes what they take.
template <bool along_depth> __device__ uint64_t descriptor(const uint16_t* stage, int line, int step) {
  return ptx::wgmma_desc(stage + line * kDepth + (along_depth ? step : step * 64), 64 * kDepth * sizeof(uint16_t), 1024, gpu::Swizzle::b128);
}

template <bool a_along_depth, bool b_along_depth> __device__ void produce(Shared& s, const MatrixMap& a, const MatrixMap& b, const Problem& p) {
  const Tiles tiles(p);
  int i = 0;
  for (int tile = blockIdx.x; tile < tiles.count; tile += gridDim.x) {
    const Tiles::Place at = tiles[tile];
    for (int step = 0; step < p.k; step += kDepth, ++i) {
      const Turn turn(i);
      uint64_t* full = &s.full[turn.stage];
      ptx::mbarrier_wait(&s.empty[turn.stage], turn.parity ^ 1);
      ptx::mbarrier_arrive_expect_tx(full, sizeof s.a[0] + sizeof s.b[0]);
      load<a_along_depth, kTileRows>(s.a[turn.stage], a, at.z, at.row, step, full);
      load<b_along_depth, kTileColumns>(s.b[turn.stage], b, at.z, at.column, step, full);
    }
  }
}

template <class T> __device__ void store(const float (&sums)[32][4], int z, int row, int column, const Problem& p) {
  const T* b = static_cast<const T*>(p.bias);
  T* c = static_cast<T*>(p.c) + z * p.matrix_stride;
  const auto bias = [&](int j) { return b && j < p.n ? widen(b[j]) : 0.0f; };
  store_fragments<T>(sums, row, column, bias, [&](int i, int j, const T(&run)[8]) {
    if (i < p.m) store_run(c + i * p.strides.row + j * p.strides.column, p.strides.column, run, p.n - j, p.chunked_output);
  });
}

template <class T, bool a_along_depth, bool b_along_depth> __device__ void consume(Shared& s, int group, const Problem& p) {
  const Tiles tiles(p);
  const int first_row = group * 64, thread = threadIdx.x % kGroup;
  int i = 0;
  for (int tile = blockIdx.x; tile < tiles.count; tile += gridDim.x) {
    const Tiles::Place at = tiles[tile];
    float sums[32][4] = {};
    for (int step = 0; step < p.k; step += kDepth, ++i) {
      const Turn turn(i);
      ptx::mbarrier_wait(&s.full[turn.stage], turn.parity);
      ptx::wgmma_fence();
#pragma unroll
      for (int l = 0; l < kDepth; l += 16)
        ptx::wgmma_m64k16<std::is_same_v<T, Half>, !a_along_depth, !b_along_depth>(sums, descriptor<a_along_depth>(s.a[turn.stage], first_row, l),
                                                                                   descriptor<b_along_depth>(s.b[turn.stage], 0, l), true);
      ptx::wgmma_commit();
      ptx::wgmma_wait<1>();  // the step before is done, its stage free
      if (step > 0 && thread == 0) ptx::mbarrier_arrive(&s.empty[Turn(i - 1).stage]);
    }
    ptx::wgmma_wait<0>();
    if (thread == 0) ptx::mbarrier_arrive(&s.empty[Turn(i - 1).stage]);
    store<T>(sums, at.z, at.row + first_row + thread / 32 * 16, at.column, p);
  }
}

template <class T, bool a_along_depth, bool b_along_depth>
__global__ void __launch_bounds__(kBlock, 1) matmul_hopper_kernel(const MatrixMap GPU_IN_PLACE a, const MatrixMap GPU_IN_PLACE b, const Problem p) {
  Shared& s = *gpu::dynamic_shared<Shared>();
  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      ptx::mbarrier_init(&s.full[i], 1);
      ptx::mbarrier_init(&s.empty[i], kConsumers);
    }
    ptx::mbarrier_fence_init();
  }
  __syncthreads();
  const int group = threadIdx.x / kGroup;
  if (group == 0) {
    ptx::setmaxnreg_dec<40>();
    if (threadIdx.x == 0) produce<a_along_depth, b_along_depth>(s, a, b, p);
  } else {
    ptx::setmaxnreg_inc<232>();
    consume<T, a_along_depth, b_along_depth>(s, group - 1, p);
  }
}

// An operand: matrices of rows that are dense, along the depth or across it.
struct Rows {
  const void* data;
  bool along_depth;
  int64_t rows, columns, stride, matrix_stride;  // the last is 0 where one matrix serves all
};
int64_t matrix_stride(const MatmulShape& z, int operand) { return z.batch.ndim ? z.batch.stride[operand][0] : 0; }
Rows rows_of_a(const MatmulArgs& args) {
  const MatmulShape& z = args.shape;
  if (is_a_along_depth(z)) return {args.a, true, z.m, z.k, z.a.row, matrix_stride(z, 0)};
  return {args.a, false, z.k, z.m, z.a.column, matrix_stride(z, 0)};
}
Rows rows_of_b(const MatmulArgs& args) {
  const MatmulShape& z = args.shape;
  if (is_b_along_depth(z)) return {args.b, true, z.n, z.k, z.b.column, matrix_stride(z, 1)};
  return {args.b, false, z.k, z.n, z.b.row, matrix_stride(z, 1)};
}
// Rows that repeat or overlap have no map.
bool is_apart(const Rows& x) { return x.rows == 1 || x.stride >= x.columns; }

cudaError_t make_map(MatrixMap& x, const Rows& r, int64_t matrices, int tile_lines) {
  const auto bytes = [](int64_t elements) { return static_cast<uint64_t>(elements) * sizeof(uint16_t); };
  const int64_t stride = r.rows == 1 ? (r.columns + 7) / 8 * 8 : r.stride;  // a lone row has any stride
  x.repeats = r.matrix_stride == 0;
  return gpu::make_tensor_map<3>(&x.map, r.data,
                                 {static_cast<uint64_t>(r.columns), static_cast<uint64_t>(r.rows), static_cast<uint64_t>(x.repeats ? 1 : matrices)},
                                 {bytes(stride), bytes(x.repeats ? stride : r.matrix_stride)},
                                 {64, static_cast<uint32_t>(r.along_depth ? tile_lines : kDepth), 1}, gpu::Swizzle::b128);
}

int64_t tiles_of_matrix(const MatmulShape& z) { return ((z.m + kTileRows - 1) / kTileRows) * ((z.n + kTileColumns - 1) / kTileColumns); }
int64_t tiles_of(const MatmulShape& z) { return tiles_of_matrix(z) * z.batch.count; }

template <class T> Status launch(const MatmulArgs& args, const Workspace& workspace) {
  const MatmulShape& z = args.shape;
  const Rows rows_a = rows_of_a(args), rows_b = rows_of_b(args);
  MatrixMap a, b;
  cudaError_t error = make_map(a, rows_a, z.batch.count, kTileRows);
  if (error == cudaSuccess) error = make_map(b, rows_b, z.batch.count, kTileColumns);
  if (error != cudaSuccess) return Status::device_error;
  const Problem p{.bias = args.bias,
                  .c = args.c,
                  .strides = z.c,
                  .matrix_stride = matrix_stride(z, 2),
                  .m = static_cast<int>(z.m),
                  .n = static_cast<int>(z.n),
                  .k = static_cast<int>(z.k),
                  .count = static_cast<int>(z.batch.count),
                  .chunked_output = has_chunked_output(args)};
  const gpu::Launch at{.grid = dim3(static_cast<unsigned>(std::min<int64_t>(tiles_of(z), gpu::properties().multiprocessors))),
                       .block = kBlock,
                       .smem = sizeof(Shared),
                       .stream = stream_of(workspace)};
  if (rows_a.along_depth)
    return status_of(rows_b.along_depth ? gpu::launch<matmul_hopper_kernel<T, true, true>>(at, a, b, p)
                                        : gpu::launch<matmul_hopper_kernel<T, true, false>>(at, a, b, p));
  return status_of(rows_b.along_depth ? gpu::launch<matmul_hopper_kernel<T, false, true>>(at, a, b, p)
                                      : gpu::launch<matmul_hopper_kernel<T, false, false>>(at, a, b, p));
}

bool supports(const MatmulArgs& args) {
  constexpr int64_t limit = int64_t{1} << 30;  // numbers of tiles have 31 bits
  const MatmulShape& z = args.shape;
  return (z.dtype == DType::f16 || z.dtype == DType::bf16) && z.batch.ndim <= 1 && z.batch.count > 0 && z.m > 0 && z.n > 0 && z.k > 0 &&
         is_chunked(args) && is_apart(rows_of_a(args)) && is_apart(rows_of_b(args)) && tiles_of(z) < limit && gpu::properties().capability == 90;
}
// Enough tiles for the device, at least half of each filled on average.
bool prefers(const MatmulArgs& args) {
  const MatmulShape& z = args.shape;
  return tiles_of(z) >= 64 && 2 * z.m * z.n >= tiles_of_matrix(z) * kTileRows * kTileColumns;
}
// Tensor cores cut off what they shift out of a sum, each 16 products once.
double error(const MatmulArgs& args) { return matmul_error(args) + static_cast<double>(args.shape.k) / 16; }
Status run(const MatmulArgs& args, Workspace& workspace) {
  return args.shape.dtype == DType::f16 ? launch<Half>(args, workspace) : launch<BFloat16>(args, workspace);
}

}  // namespace

TAPETUM_CANDIDATE(MatmulArgs, matmul_hopper_cuda){.name = "hopper", .supports = supports, .prefers = prefers, .error = error, .run = run};

}  // namespace tapetum::kernels
