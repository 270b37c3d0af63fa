// hopper: attention of f16 and bf16 by the instructions of sm_90a, without mask or dropout. A block makes 128 rows of out; one thread copies
// tiles of k and v. A group finds the weights of one tile while the values of the tile before are multiplied (Shah et al.,
// "FlashAttention-3", 2024). Reads k and v once for 128 queries.
#include "kernels/cuda/attention_hopper.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kKeys = 128, kStages = 2;

template <int Width> struct Shared {
  uint16_t q[kRows * Width], k[kStages][kKeys * Width], v[kStages][kKeys * Width];
  uint64_t k_full[kStages], k_empty[kStages], v_full[kStages], v_empty[kStages];
};
using TurnOf = Turn<kStages>;

template <int Width>
__device__ void produce(Shared<Width>& s, const HeadMap& q, const HeadMap& k, const HeadMap& v, const AttentionProblem& p, const BlockOfRows& block) {
  const int tiles = tiles_of_keys<kKeys>(p, block.begin);
  for (int i = 0; i < tiles; ++i) {
    const TurnOf turn(i);
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
  Shared<Width>& shared;
  int first_row;  // of the group in the block

  // Begins s = q k^T of tile i.
  __device__ void start_scores(Fragments16<kKeys>& s, int i) const {
    const TurnOf turn(i);
    ptx::mbarrier_wait(&shared.k_full[turn.stage], turn.parity);
    start_products<T, Width, kKeys>(s, shared.q, first_row, shared.k[turn.stage]);
  }
  // Begins out += weights v of tile i.
  __device__ void start_values(Fragments16<Width>& out, const Weights16<kKeys>& weights, int i) const {
    const TurnOf turn(i);
    ptx::mbarrier_wait(&shared.v_full[turn.stage], turn.parity);
    start_sum<T, Width, kKeys>(out, weights, shared.v[turn.stage]);
  }
  __device__ static void release(uint64_t* empty) {
    if (threadIdx.x % kGroup == 0) ptx::mbarrier_arrive(empty);
  }
};

template <class T, int Width> __device__ void consume(Shared<Width>& shared, int number, const AttentionForwardArgs& args, const BlockOfRows& block) {
  const AttentionProblem& p = args.problem;
  const Group<T, Width> group{shared, number * kGroupRows};
  const int tiles = tiles_of_keys<kKeys>(p, block.begin);
  const int row = block.begin + group.first_row + row_in_group(), met = static_cast<int>(keys_of(p, row));
  const PairsOfHead<T, true> pairs(p, block.head);
  OnlineSoftmax softmax{pairs.factor};
  Fragments16<Width> out = {};
  Fragments16<kKeys> s;
  Weights16<kKeys> weights;
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
  pack_weights<T, kKeys>(weights, s);
  for (int i = 1; i < tiles; ++i) {
    group.start_scores(s, i);
    group.start_values(out, weights, i - 1);
    ptx::wgmma_wait<1>();
    ptx::wgmma_done(s);
    group.release(&shared.k_empty[TurnOf(i).stage]);
    weigh(i);
    ptx::wgmma_wait<0>();
    ptx::wgmma_done(out);
    group.release(&shared.v_empty[TurnOf(i - 1).stage]);
#pragma unroll
    for (int d = 0; d < Width / 8; ++d)
#pragma unroll
      for (int e = 0; e < 4; ++e) out[d][e] *= scale[e / 2];
    pack_weights<T, kKeys>(weights, s);
  }
  group.start_values(out, weights, tiles - 1);
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
  const BlockOfRows block(args.problem, args.problem.queries, true);
  const auto copy = [&] {
    if (threadIdx.x == 0) produce<Width>(shared, q, k, v, args.problem, block);
  };
  divide_work(copy, [&](int group) { consume<T, Width>(shared, group, args, block); });
}

template <class T, int Width> Status launch(const AttentionForwardArgs& a, const Workspace& w) {
  const AttentionProblem& p = a.problem;
  HeadMap q, k, v;
  cudaError_t error = make_map(q, p.q, p, p.queries, kRows);
  if (error == cudaSuccess) error = make_map(k, p.k, p, p.keys, kKeys);
  if (error == cudaSuccess) error = make_map(v, p.v, p, p.keys, kKeys);
  if (error != cudaSuccess) return Status::device_error;
  return status_of(gpu::launch<attention_forward_hopper_kernel<T, Width>>(launch_rows<Shared<Width>>(p, p.queries, w), q, k, v, a));
}

bool supports(const AttentionForwardArgs& a) { return supports_hopper(a.problem) && has_aligned_rows(a.out, 8); }
// Fewer queries leave a group without work.
bool prefers(const AttentionForwardArgs& a) { return a.problem.queries > kGroupRows; }
double error(const AttentionForwardArgs& a) { return AttentionError{a.problem, true}.forward(); }

Status run(const AttentionForwardArgs& a, Workspace& w) {
  return with_hopper_width(a.problem, [&]<class T, int Width>() { return launch<T, Width>(a, w); });
}

}  // namespace

TAPETUM_CANDIDATE(AttentionForwardArgs, attention_forward_hopper_cuda){
    .name = "hopper", .supports = supports, .prefers = prefers, .error = error, .run = run};

}  // namespace tapetum::kernels
