// hopper: attention of f16 and bf16 by the instructions of sm_90a, without mask or dropout. A block makes 128 rows of out. One thread of the
// first four warps copies tiles of k and v to rings of stages (TMA); two groups of four warps have 64 queries each. Scores and sums stay in
// registers (wgmma), and a group finds the weights of one tile while the values of the tile before are multiplied (Shah et al.,
// "FlashAttention-3", 2024). Reads k and v once for 128 queries.
#include <algorithm>

#include "kernels/cuda/attention_softmax.cuh"
#include "kernels/cuda/gpu/hopper.cuh"
#include "kernels/cuda/gpu/properties.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kGroup = 128, kConsumers = 2, kBlock = (1 + kConsumers) * kGroup;  // threads
constexpr int kGroupRows = 64, kRows = kGroupRows * kConsumers, kKeys = 128, kStages = 2;

// Tiles in boxes of 64 columns, which are the 128 bytes of a swizzle.
template <int Width> struct Shared {
  uint16_t q[kRows * Width], k[kStages][kKeys * Width], v[kStages][kKeys * Width];
  uint64_t k_full[kStages], k_empty[kStages], v_full[kStages], v_empty[kStages];
};

// The place in a ring of the block's i-th tile, and the parity of its rounds.
struct Turn {
  int stage, parity;
  __device__ explicit Turn(int i) : stage(i % kStages), parity(i / kStages % 2) {}
};

// A tensor of heads as TMA sees it: a dimension that repeats one element has that alone.
struct HeadMap {
  gpu::TensorMap map;
  bool heads, batches;
};

struct BlockOfRows {
  int64_t head;
  int begin, tiles;  // of keys

  // The blocks of a causal problem that meet most keys go first.
  __device__ explicit BlockOfRows(const AttentionProblem& p) {
    const int blocks = static_cast<int>((p.queries + kRows - 1) / kRows), number = static_cast<int>(blockIdx.x);
    const int heads = static_cast<int>(head_count(p));
    head = number % heads;
    begin = (blocks - 1 - number / heads) * kRows;
    tiles = static_cast<int>((keys_of(p, begin + kRows - 1) + kKeys - 1) / kKeys);
  }
};

template <int Width, int Rows>
__device__ void load(uint16_t* tile, const HeadMap& x, const AttentionProblem& p, int64_t head, int first, uint64_t* full) {
  const int h = x.heads ? static_cast<int>(head % p.heads) : 0, b = x.batches ? static_cast<int>(head / p.heads) : 0;
  for (int column = 0; column < Width; column += 64) ptx::tma_load_4d(tile + column * Rows, &x.map, column, first, h, b, full);
}

template <int Width> __device__ void produce(Shared<Width>& s, const HeadMap& q, const HeadMap& k, const HeadMap& v, const AttentionProblem& p) {
  const BlockOfRows block(p);
  for (int i = 0; i < block.tiles; ++i) {
    const Turn turn(i);
    uint64_t *k_full = &s.k_full[turn.stage], *v_full = &s.v_full[turn.stage];
    ptx::mbarrier_wait(&s.k_empty[turn.stage], turn.parity ^ 1);
    ptx::mbarrier_arrive_expect_tx(k_full, sizeof s.k[0] + (i == 0 ? sizeof s.q : 0));  // q comes with the first keys
    if (i == 0) load<Width, kRows>(s.q, q, p, block.head, block.begin, k_full);
    load<Width, kKeys>(s.k[turn.stage], k, p, block.head, i * kKeys, k_full);
    ptx::mbarrier_wait(&s.v_empty[turn.stage], turn.parity ^ 1);
    ptx::mbarrier_arrive_expect_tx(v_full, sizeof s.v[0]);
    load<Width, kKeys>(s.v[turn.stage], v, p, block.head, i * kKeys, v_full);
  }
}

// What a group of four warps does with the tiles of its block.
template <class T, int Width> struct Group {
  static constexpr bool kF16 = std::is_same_v<T, Half>;
  using Weights = uint32_t[kKeys / 16][4];  // rounded to T, as a product takes them

  Shared<Width>& shared;
  int first_row;  // of the group in the block

  // Begins s = q k^T of tile i.
  __device__ void start_scores(Fragments16<kKeys>& s, int i) const {
    const Turn turn(i);
    ptx::mbarrier_wait(&shared.k_full[turn.stage], turn.parity);
    ptx::wgmma_fence();
#pragma unroll
    for (int step = 0; step < Width; step += 16)
      ptx::wgmma_m64k16<kF16, false, false>(s, along(shared.q, kRows, first_row, step), along(shared.k[turn.stage], kKeys, 0, step), step > 0);
    ptx::wgmma_commit();
  }
  // Begins out += weights v of tile i.
  __device__ void start_sum(Fragments16<Width>& out, const Weights& weights, int i) const {
    const Turn turn(i);
    ptx::mbarrier_wait(&shared.v_full[turn.stage], turn.parity);
    ptx::wgmma_fence();
#pragma unroll
    for (int step = 0; step < kKeys; step += 16)  // 8 rows are 1024 bytes apart, 64 columns a box
      ptx::wgmma_m64k16<kF16, true>(out, weights[step / 16], ptx::wgmma_desc(&shared.v[turn.stage][step * 64], kKeys * 128, 1024, gpu::Swizzle::b128),
                                    true);
    ptx::wgmma_commit();
  }
  __device__ static void release(uint64_t* empty) {
    if (threadIdx.x % kGroup == 0) ptx::mbarrier_arrive(empty);
  }

 private:
  // 16 columns of rows from `line` on, for products along the columns.
  __device__ static uint64_t along(const uint16_t* tile, int rows, int line, int column) {
    return ptx::wgmma_desc(tile + column / 64 * 64 * rows + line * 64 + column % 64, 0, 1024, gpu::Swizzle::b128);
  }
};

template <class T> __device__ void pack_weights(uint32_t (&weights)[kKeys / 16][4], const Fragments16<kKeys>& s) {
#pragma unroll
  for (int j = 0; j < kKeys / 8; ++j)
#pragma unroll
    for (int half = 0; half < 2; ++half) weights[j / 2][j % 2 * 2 + half] = pack<T>(s[j][2 * half], s[j][2 * half + 1]);
}

template <class T, int Width> __device__ void consume(Shared<Width>& shared, int number, const AttentionForwardArgs& args) {
  const AttentionProblem& p = args.problem;
  const BlockOfRows block(p);
  const Group<T, Width> group{shared, number * kGroupRows};
  const int row = block.begin + group.first_row + static_cast<int>(threadIdx.x) % kGroup / kWarp * kWarpRows, met = static_cast<int>(keys_of(p, row));
  const PairsOfHead<T, true> pairs(p, block.head);
  OnlineSoftmax softmax{pairs.factor};
  Fragments16<Width> out = {};
  Fragments16<kKeys> s;
  uint32_t weights[kKeys / 16][4];
  float scale[2];
  const auto weigh = [&](int i) {
    pairs.template finish<kKeys>(s, (i + 1) * kKeys > met, [&](int r, int c) { return Pair{row + r, i * kKeys + c}; });
    softmax.carry_on<kKeys>(s, scale);
  };

  group.start_scores(s, 0);
  ptx::wgmma_wait<0>();
  ptx::wgmma_done(s);
  group.release(&shared.k_empty[0]);
  weigh(0);
  pack_weights<T>(weights, s);
  for (int i = 1; i < block.tiles; ++i) {
    group.start_scores(s, i);
    group.start_sum(out, weights, i - 1);
    ptx::wgmma_wait<1>();
    ptx::wgmma_done(s);
    group.release(&shared.k_empty[Turn(i).stage]);
    weigh(i);
    ptx::wgmma_wait<0>();
    ptx::wgmma_done(out);
    group.release(&shared.v_empty[Turn(i - 1).stage]);
#pragma unroll
    for (int d = 0; d < Width / 8; ++d)
#pragma unroll
      for (int e = 0; e < 4; ++e) out[d][e] *= scale[e / 2];
    pack_weights<T>(weights, s);
  }
  group.start_sum(out, weights, block.tiles - 1);
  ptx::wgmma_wait<0>();
  ptx::wgmma_done(out);
  store_result<T, Width>(args, block.head, row, softmax, out);
}

template <class T, int Width>
__global__ void __launch_bounds__(kBlock, 1)
    attention_forward_hopper_kernel(const HeadMap GPU_IN_PLACE q, const HeadMap GPU_IN_PLACE k, const HeadMap GPU_IN_PLACE v,
                                    const AttentionForwardArgs GPU_IN_PLACE args) {
  auto& shared = *gpu::dynamic_shared<Shared<Width>>();
  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      ptx::mbarrier_init(&shared.k_full[i], 1), ptx::mbarrier_init(&shared.v_full[i], 1);
      ptx::mbarrier_init(&shared.k_empty[i], kConsumers), ptx::mbarrier_init(&shared.v_empty[i], kConsumers);
    }
    ptx::mbarrier_fence_init();
  }
  __syncthreads();
  const int group = static_cast<int>(threadIdx.x) / kGroup;
  if (group == 0) {
    ptx::setmaxnreg_dec<24>();
    if (threadIdx.x == 0) produce<Width>(shared, q, k, v, args.problem);
  } else {
    ptx::setmaxnreg_inc<240>();
    consume<T, Width>(shared, group - 1, args);
  }
}

// The map of [B, H, rows, D], read in boxes of tile_rows x 64. A lone row has any stride.
cudaError_t make_map(HeadMap& x, const Heads<const void*>& data, const AttentionProblem& p, int64_t rows, int tile_rows) {
  const auto stride = [](int64_t elements) { return static_cast<uint64_t>(std::max<int64_t>(elements, 8)) * sizeof(uint16_t); };
  x.heads = data.head != 0;
  x.batches = data.batch != 0;
  const auto size = [](int64_t n) { return static_cast<uint64_t>(n); };
  return gpu::make_tensor_map<4>(&x.map, data.data, {size(p.width), size(rows), size(x.heads ? p.heads : 1), size(x.batches ? p.batch : 1)},
                                 {stride(data.row), stride(data.head), stride(data.batch)}, {64, static_cast<uint32_t>(tile_rows), 1, 1},
                                 gpu::Swizzle::b128);
}

template <class T, int Width> Status launch(const AttentionForwardArgs& a, const Workspace& w) {
  const AttentionProblem& p = a.problem;
  HeadMap q, k, v;
  cudaError_t error = make_map(q, p.q, p, p.queries, kRows);
  if (error == cudaSuccess) error = make_map(k, p.k, p, p.keys, kKeys);
  if (error == cudaSuccess) error = make_map(v, p.v, p, p.keys, kKeys);
  if (error != cudaSuccess) return Status::device_error;
  const unsigned blocks = static_cast<unsigned>(head_count(p)) * blocks_for(p.queries, kRows);
  const gpu::Launch at{.grid = dim3(blocks), .block = kBlock, .smem = sizeof(Shared<Width>), .stream = stream_of(w)};
  return status_of(gpu::launch<attention_forward_hopper_kernel<T, Width>>(at, q, k, v, a));
}

bool has_rows_apart(const Heads<const void*>& x, const AttentionProblem& p, int64_t rows) { return rows == 1 || x.row >= p.width; }

bool supports(const AttentionForwardArgs& a) {
  const AttentionProblem& p = a.problem;
  return supports_mma(p) && has_aligned_rows(a.out) && is_plain(p) && p.width <= 128 && p.keys > 0 && p.queries > 0 && head_count(p) > 0 &&
         has_rows_apart(p.q, p, p.queries) && has_rows_apart(p.k, p, p.keys) && has_rows_apart(p.v, p, p.keys) && gpu::properties().capability == 90;
}
// Fewer queries leave a group without work.
bool prefers(const AttentionForwardArgs& a) { return a.problem.queries > kGroupRows; }
double error(const AttentionForwardArgs& a) { return AttentionError{a.problem, true}.forward(); }

Status run(const AttentionForwardArgs& a, Workspace& w) {
  const auto with_width = [&]<class T>() { return a.problem.width <= 64 ? launch<T, 64>(a, w) : launch<T, 128>(a, w); };
  return a.problem.dtype == DType::f16 ? with_width.template operator()<Half>() : with_width.template operator()<BFloat16>();
}

}  // namespace

TAPETUM_CANDIDATE(AttentionForwardArgs, attention_forward_hopper_cuda){
    .name = "hopper", .supports = supports, .prefers = prefers, .error = error, .run = run};

}  // namespace tapetum::kernels
