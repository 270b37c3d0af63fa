// hopper: the gradients of attention of f16 and bf16 by the instructions of sm_90a, without mask, dropout or atomics. Blocks of 128 queries make
// gq, blocks of 128 keys gk and gv, and each computes its scores once more from lse. Weights go from the registers of one product to the next.
#include "kernels/cuda/attention_hopper.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kStages = 3;
template <int Width> constexpr int kKeys = Width <= 64 ? 128 : 64;  // of a tile that queries meet
constexpr int kQueries = 64;                                        // of one that keys meet: two sums leave fewer registers
using TurnOf = Turn<kStages>;

// A block's rows, q and gy or k and v, and tiles of what they meet.
template <int Width, int Partners> struct Shared {
  uint16_t a[kRows * Width], b[kRows * Width], with_a[kStages][Partners * Width], with_b[kStages][Partners * Width];
  float shift[kStages][kQueries], delta[kStages][kQueries];  // where the partners are queries
  uint64_t full[kStages], empty[kStages];
};
struct Maps {
  HeadMap a, b, with_a, with_b;
};

template <class Shared> __device__ void start_rings(Shared& shared) {
  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      ptx::mbarrier_init(&shared.full[i], 1 + kWarp);             // the copies, and the lanes that started them
      ptx::mbarrier_init(&shared.empty[i], kConsumers * kGroup);  // the threads that read
    }
    ptx::mbarrier_fence_init();
  }
  __syncthreads();
}

// Work of one warp: copies tiles of partners from `first` on. Each lane calls also(stage, first) for what is no tile.
template <int Width, int Partners, class Also>
__device__ void produce(Shared<Width, Partners>& s, const Maps& maps, const AttentionProblem& p, const BlockOfRows& block, int first, int tiles,
                        Also also) {
  for (int i = 0; i < tiles; ++i, first += Partners) {
    const TurnOf turn(i);
    uint64_t* full = &s.full[turn.stage];
    ptx::mbarrier_wait(&s.empty[turn.stage], turn.parity ^ 1);
    if (lane() == 0) {
      ptx::mbarrier_arrive_expect_tx(full, 2 * sizeof s.with_a[0] + (i == 0 ? 2 * sizeof s.a : 0));  // the rows come with the first tile
      if (i == 0) {
        load<Width, kRows>(s.a, maps.a, p, block.head, block.begin, full);
        load<Width, kRows>(s.b, maps.b, p, block.head, block.begin, full);
      }
      load<Width, Partners>(s.with_a[turn.stage], maps.with_a, p, block.head, first, full);
      load<Width, Partners>(s.with_b[turn.stage], maps.with_b, p, block.head, first, full);
    }
    also(turn.stage, first);
    ptx::mbarrier_arrive(full);
  }
}

// What a group of four warps does for gq. While it finds slopes, the products of the other one run.
template <class T, int Width>
__device__ void make_gq(Shared<Width, kKeys<Width>>& shared, int group, const AttentionBackwardArgs& args, const float* delta,
                        const BlockOfRows& block, int tiles) {
  constexpr int kTile = kKeys<Width>;
  const AttentionProblem& p = args.problem;
  const PairsOfHead<T, true> pairs(p, block.head);
  const int first_row = group * kGroupRows, row = block.begin + first_row + row_in_group(), count = static_cast<int>(p.queries) - row;
  const int met = static_cast<int>(keys_of(p, row));
  float shift[2], delta_of[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int i = row_of(2 * half);
    const int64_t number = block.head * p.queries + row + i;
    shift[half] = i < count ? static_cast<const float*>(args.lse)[number] * kPowersOfTwo : 0;
    delta_of[half] = i < count ? delta[number] : 0;
  }
  Fragments16<Width> gq = {};
  Fragments16<kTile> s, ds;
  Weights16<kTile> slopes;
  for (int i = 0; i < tiles; ++i) {
    const TurnOf turn(i);
    ptx::mbarrier_wait(&shared.full[turn.stage], turn.parity);
    start_products<T, Width, kTile>(s, shared.a, first_row, shared.with_a[turn.stage]);
    start_products<T, Width, kTile>(ds, shared.b, first_row, shared.with_b[turn.stage]);
    ptx::wgmma_wait<1>();
    ptx::wgmma_done(s);
    pairs.template finish<kTile>(s, (i + 1) * kTile > met, [&](int r, int c) { return Pair{row + r, i * kTile + c}; });
#pragma unroll
    for (int j = 0; j < kTile / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) s[j][e] = ptx::ex2(s[j][e] * pairs.factor - shift[e / 2]);
    ptx::wgmma_wait<0>();
    ptx::wgmma_done(ds);
#pragma unroll
    for (int j = 0; j < kTile / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) ds[j][e] = s[j][e] * (ds[j][e] - delta_of[e / 2]);
    pack_weights<T, kTile>(slopes, ds);
    start_sum<T, Width, kTile>(gq, slopes, shared.with_a[turn.stage]);
    ptx::wgmma_wait<0>();
    ptx::wgmma_done(gq);
    ptx::mbarrier_arrive(&shared.empty[turn.stage]);
  }
  const float scale = static_cast<float>(p.scale);
  store_rows<T, Width>(rows_of<T>(args.gq, p, block.head) + row * args.gq.row, args.gq.row, count, static_cast<int>(p.width), gq, {scale, scale});
}

// For gk and gv, with queries from `first` on. All products are the other way round: a row of one is a key.
template <class T, int Width>
__device__ void make_gk_gv(Shared<Width, kQueries>& shared, int group, const AttentionBackwardArgs& args, const BlockOfRows& block, int first,
                           int tiles) {
  const AttentionProblem& p = args.problem;
  const PairsOfHead<T, true> pairs(p, block.head);
  const int first_row = group * kGroupRows, row = block.begin + first_row + row_in_group();
  Fragments16<Width> gk = {}, gv = {};
  Fragments16<kQueries> s, ds;
  Weights16<kQueries> weights, slopes;
  for (int i = 0; i < tiles; ++i, first += kQueries) {
    const TurnOf turn(i);
    ptx::mbarrier_wait(&shared.full[turn.stage], turn.parity);
    start_products<T, Width, kQueries>(s, shared.a, first_row, shared.with_a[turn.stage]);
    start_products<T, Width, kQueries>(ds, shared.b, first_row, shared.with_b[turn.stage]);
    ptx::wgmma_wait<1>();
    ptx::wgmma_done(s);
    const bool edge = first + kQueries > p.queries || (p.causal && row + kWarpRows - 1 > first);
    pairs.template finish<kQueries>(s, edge, [&](int r, int c) { return Pair{first + c, row + r}; });
#pragma unroll
    for (int j = 0; j < kQueries / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) s[j][e] = ptx::ex2(s[j][e] * pairs.factor - shared.shift[turn.stage][j * 8 + column_of(e)]);
    pack_weights<T, kQueries>(weights, s);
    start_sum<T, Width, kQueries>(gv, weights, shared.with_b[turn.stage]);
    ptx::wgmma_wait<1>();
    ptx::wgmma_done(ds);
#pragma unroll
    for (int j = 0; j < kQueries / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) ds[j][e] = s[j][e] * (ds[j][e] - shared.delta[turn.stage][j * 8 + column_of(e)]);
    pack_weights<T, kQueries>(slopes, ds);
    start_sum<T, Width, kQueries>(gk, slopes, shared.with_a[turn.stage]);
    ptx::wgmma_wait<0>();
    ptx::wgmma_done(gv);
    ptx::wgmma_done(gk);
    ptx::mbarrier_arrive(&shared.empty[turn.stage]);
  }
  const float scale = static_cast<float>(p.scale);
  const int count = static_cast<int>(p.keys) - row, width = static_cast<int>(p.width);
  store_rows<T, Width>(rows_of<T>(args.gk, p, block.head) + row * args.gk.row, args.gk.row, count, width, gk, {scale, scale});
  store_rows<T, Width>(rows_of<T>(args.gv, p, block.head) + row * args.gv.row, args.gv.row, count, width, gv, {1, 1});
}

template <class T, int Width>
__global__ void __launch_bounds__(kBlock, 1)
    attention_backward_queries_hopper_kernel(const Maps GPU_IN_PLACE maps, const AttentionBackwardArgs GPU_IN_PLACE args, const float* delta) {
  auto& shared = *gpu::dynamic_shared<Shared<Width, kKeys<Width>>>();
  const AttentionProblem& p = args.problem;
  const BlockOfRows block(p, p.queries, true);
  const int tiles = tiles_of_keys<kKeys<Width>>(p, block.begin);
  start_rings(shared);
  const auto copy = [&] {
    if (threadIdx.x < kWarp) produce(shared, maps, p, block, 0, tiles, [](int, int) {});
  };
  divide_work(copy, [&](int group) { make_gq<T, Width>(shared, group, args, delta, block, tiles); });
}

template <class T, int Width>
__global__ void __launch_bounds__(kBlock, 1)
    attention_backward_keys_hopper_kernel(const Maps GPU_IN_PLACE maps, const AttentionBackwardArgs GPU_IN_PLACE args, const float* delta) {
  auto& shared = *gpu::dynamic_shared<Shared<Width, kQueries>>();
  const AttentionProblem& p = args.problem;
  const BlockOfRows block(p, p.keys, false);
  const int queries = static_cast<int>(p.queries), first = p.causal ? block.begin : 0, tiles = (queries - first + kQueries - 1) / kQueries;
  start_rings(shared);
  const auto copy_numbers = [&](int stage, int from) {
#pragma unroll 1  // these warps have few registers
    for (int i = lane(); i < kQueries; i += kWarp) {
      const bool inside = from + i < queries;
      const int64_t number = block.head * p.queries + from + i;
      shared.shift[stage][i] = inside ? static_cast<const float*>(args.lse)[number] * kPowersOfTwo : 0;
      shared.delta[stage][i] = inside ? delta[number] : 0;
    }
  };
  const auto copy = [&] {
    if (threadIdx.x < kWarp) produce(shared, maps, p, block, first, tiles, copy_numbers);
  };
  divide_work(copy, [&](int group) { make_gk_gv<T, Width>(shared, group, args, block, first, tiles); });
}

// Two tensors that are read alike.
struct Operands {
  const Heads<const void*>&a, &b;
  int64_t rows;
};
cudaError_t make_maps(Maps& maps, const AttentionProblem& p, const Operands& own, const Operands& partners, int tile_rows) {
  cudaError_t error = make_map(maps.a, own.a, p, own.rows, kRows);
  if (error == cudaSuccess) error = make_map(maps.b, own.b, p, own.rows, kRows);
  if (error == cudaSuccess) error = make_map(maps.with_a, partners.a, p, partners.rows, tile_rows);
  if (error == cudaSuccess) error = make_map(maps.with_b, partners.b, p, partners.rows, tile_rows);
  return error;
}

template <class T, int Width> cudaError_t launch(const AttentionBackwardArgs& a, const Workspace& w) {
  const AttentionProblem& p = a.problem;
  const Operands of_queries{p.q, a.gy, p.queries}, of_keys{p.k, p.v, p.keys};
  const gpu::Launch queries = launch_rows<Shared<Width, kKeys<Width>>>(p, p.queries, w), keys = launch_rows<Shared<Width, kQueries>>(p, p.keys, w);
  const float* delta = static_cast<const float*>(w.data);
  Maps for_queries, for_keys;
  cudaError_t error = make_maps(for_queries, p, of_queries, of_keys, kKeys<Width>);
  if (error == cudaSuccess) error = make_maps(for_keys, p, of_keys, of_queries, kQueries);
  if (error == cudaSuccess) error = launch_delta<T, float>(a, w);
  if (error == cudaSuccess) error = gpu::launch<attention_backward_queries_hopper_kernel<T, Width>>(queries, for_queries, a, delta);
  if (error == cudaSuccess) error = gpu::launch<attention_backward_keys_hopper_kernel<T, Width>>(keys, for_keys, a, delta);
  return error;
}

bool supports(const AttentionBackwardArgs& a) {
  return supports_hopper(a.problem) && has_rows_apart(a.gy, a.problem, a.problem.queries) && has_aligned_rows(a.gy, 8) && has_aligned_rows(a.gq, 8) &&
         has_aligned_rows(a.gk, 8) && has_aligned_rows(a.gv, 8);
}
// Fewer queries or keys leave a group without work.
bool prefers(const AttentionBackwardArgs& a) { return a.problem.queries > kGroupRows && a.problem.keys > kGroupRows; }
double error(const AttentionBackwardArgs& a) { return AttentionError{a.problem, true}.backward(); }

Status run(const AttentionBackwardArgs& a, Workspace& w) {
  return with_hopper_width(a.problem, [&]<class T, int Width>() { return status_of(launch<T, Width>(a, w)); });
}

}  // namespace

TAPETUM_CANDIDATE(AttentionBackwardArgs, attention_backward_hopper_cuda){
    .name = "hopper", .supports = supports, .prefers = prefers, .workspace = delta_bytes, .error = error, .run = run};

}  // namespace tapetum::kernels
