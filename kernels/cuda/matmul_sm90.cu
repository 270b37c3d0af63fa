// hopper: f16 and bf16 by the instructions of sm_90a. One thread of the first four warps copies tiles of a and b to a ring of stages (TMA);
// two groups of four warps multiply them from there (wgmma), 64 x 256 elements each. A block stays on its multiprocessor and takes tiles of
// c one after another, so that the next tile is on its way while this one is stored. 2 m n k FLOPs; a is read n / 256 times and b m / 128
// times, from L2 for the most part.
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
  int m, n, k;
  bool chunked_output;
};

struct Tiles {
  int down, across, count;
  __device__ explicit Tiles(const Problem& p)
      : down((p.m + kTileRows - 1) / kTileRows), across((p.n + kTileColumns - 1) / kTileColumns), count(down * across) {}
};

// The place in the ring of the block's i-th step, and the parity of its rounds.
struct Turn {
  int stage, parity;
  __device__ explicit Turn(int i) : stage(i % kStages), parity(i / kStages % 2) {}
};

// Lines of 64 steps come as one box; steps of many lines as boxes of 64 x 64.
template <bool along_depth, int kLines> __device__ void load(uint16_t* to, const gpu::TensorMap* map, int line, int step, uint64_t* full) {
  if constexpr (along_depth)
    ptx::tma_load_2d(to, map, step, line, full);
  else
    for (int i = 0; i < kLines; i += 64) ptx::tma_load_2d(to + i * kDepth, map, line + i, step, full);
}
// 16 steps of the lines from `line` on. Groups of 8 rows are 1024 bytes apart, boxes what they take.
template <bool along_depth> __device__ uint64_t descriptor(const uint16_t* stage, int line, int step) {
  return ptx::wgmma_desc(stage + line * kDepth + (along_depth ? step : step * 64), 64 * kDepth * sizeof(uint16_t), 1024, gpu::Swizzle::b128);
}

template <bool a_along_depth, bool b_along_depth>
__device__ void produce(Shared& s, const gpu::TensorMap* a, const gpu::TensorMap* b, const Problem& p) {
  const Tiles tiles(p);
  int i = 0;
  for (int tile = blockIdx.x; tile < tiles.count; tile += gridDim.x) {
    const TilePlace at = tile_in_panels(tile, tiles.down, tiles.across);
    for (int step = 0; step < p.k; step += kDepth, ++i) {
      const Turn turn(i);
      uint64_t* full = &s.full[turn.stage];
      ptx::mbarrier_wait(&s.empty[turn.stage], turn.parity ^ 1);
      ptx::mbarrier_arrive_expect_tx(full, sizeof s.a[0] + sizeof s.b[0]);
      load<a_along_depth, kTileRows>(s.a[turn.stage], a, at.row * kTileRows, step, full);
      load<b_along_depth, kTileColumns>(s.b[turn.stage], b, at.column * kTileColumns, step, full);
    }
  }
}

template <class T> __device__ void store(const float (&sums)[32][4], int row, int column, const Problem& p) {
  const T* b = static_cast<const T*>(p.bias);
  const auto bias = [&](int j) { return b && j < p.n ? widen(b[j]) : 0.0f; };
  store_fragments<T>(sums, row, column, bias, [&](int i, int j, const T(&run)[8]) {
    if (i < p.m) store_run(static_cast<T*>(p.c) + i * p.strides.row + j * p.strides.column, p.strides.column, run, p.n - j, p.chunked_output);
  });
}

template <class T, bool a_along_depth, bool b_along_depth> __device__ void consume(Shared& s, int group, const Problem& p) {
  const Tiles tiles(p);
  const int first_row = group * 64, thread = threadIdx.x % kGroup;
  int i = 0;
  for (int tile = blockIdx.x; tile < tiles.count; tile += gridDim.x) {
    const TilePlace at = tile_in_panels(tile, tiles.down, tiles.across);
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
    store<T>(sums, at.row * kTileRows + first_row + thread / 32 * 16, at.column * kTileColumns, p);
  }
}

template <class T, bool a_along_depth, bool b_along_depth>
__global__ void __launch_bounds__(kBlock, 1)
    matmul_hopper_kernel(const __grid_constant__ gpu::TensorMap a, const __grid_constant__ gpu::TensorMap b, const Problem p) {
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
    if (threadIdx.x == 0) produce<a_along_depth, b_along_depth>(s, &a, &b, p);
  } else {
    ptx::setmaxnreg_inc<232>();
    consume<T, a_along_depth, b_along_depth>(s, group - 1, p);
  }
}

// The map of lines x steps that lie `stride` elements apart in the dimension that is not dense.
cudaError_t make_map(gpu::TensorMap& map, const void* data, bool along_depth, int64_t lines, int64_t steps, int64_t stride, int tile_lines) {
  const int64_t rows = along_depth ? lines : steps, columns = along_depth ? steps : lines;
  const int64_t bytes = 2 * (rows == 1 ? (columns + 7) / 8 * 8 : stride);  // a lone row has any stride
  return gpu::make_tensor_map_2d(&map, data, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), static_cast<uint64_t>(bytes),
                                 static_cast<uint32_t>(along_depth ? tile_lines : kDepth), 64, gpu::Swizzle::b128);
}

int64_t tiles_of(const MatmulShape& z) { return ((z.m + kTileRows - 1) / kTileRows) * ((z.n + kTileColumns - 1) / kTileColumns); }

template <class T> Status launch(const MatmulArgs& args, const Workspace& workspace) {
  const MatmulShape& z = args.shape;
  const bool a_along = is_a_along_depth(z), b_along = is_b_along_depth(z);
  gpu::TensorMap a, b;
  cudaError_t error = make_map(a, args.a, a_along, z.m, z.k, a_along ? z.a.row : z.a.column, kTileRows);
  if (error == cudaSuccess) error = make_map(b, args.b, b_along, z.n, z.k, b_along ? z.b.column : z.b.row, kTileColumns);
  if (error != cudaSuccess) return Status::device_error;
  const Problem p{args.bias, args.c, z.c, static_cast<int>(z.m), static_cast<int>(z.n), static_cast<int>(z.k), has_chunked_output(args)};
  const gpu::Launch at{.grid = dim3(static_cast<unsigned>(std::min<int64_t>(tiles_of(z), gpu::properties().multiprocessors))),
                       .block = kBlock,
                       .smem = sizeof(Shared),
                       .stream = stream_of(workspace)};
  if (a_along)
    return status_of(b_along ? gpu::launch<matmul_hopper_kernel<T, true, true>>(at, a, b, p)
                             : gpu::launch<matmul_hopper_kernel<T, true, false>>(at, a, b, p));
  return status_of(b_along ? gpu::launch<matmul_hopper_kernel<T, false, true>>(at, a, b, p)
                           : gpu::launch<matmul_hopper_kernel<T, false, false>>(at, a, b, p));
}

bool supports(const MatmulArgs& args) {
  const MatmulShape& z = args.shape;
  return (z.dtype == DType::f16 || z.dtype == DType::bf16) && z.batch.count == 1 && z.m > 0 && z.n > 0 && z.k > 0 && is_chunked(args) &&
         gpu::properties().capability == 90;
}
bool prefers(const MatmulArgs& args) { return tiles_of(args.shape) >= 64; }
// Tensor cores cut off what they shift out of a sum, each 16 products once.
double error(const MatmulArgs& args) {
  const double k = static_cast<double>(args.shape.k);
  return 4 + 2 * __builtin_sqrt(k) + k / 16;
}
Status run(const MatmulArgs& args, Workspace& workspace) {
  return args.shape.dtype == DType::f16 ? launch<Half>(args, workspace) : launch<BFloat16>(args, workspace);
}

}  // namespace

TAPETUM_CANDIDATE(MatmulArgs, matmul_hopper_cuda){.name = "hopper", .supports = supports, .prefers = prefers, .error = error, .run = run};

}  // namespace tapetum::kernels
