// flash: attention of f16 and bf16 on tensor cores; a block makes 64 rows of out. Scores stay in registers, where the fragments of a product
// are those that the next one takes (Dao, "FlashAttention-2", 2023). Reads k and v once for 64 queries: 4 D operations for each 4 D / 64 bytes.
#include "kernels/cuda/attention_mma.cuh"

namespace tapetum::kernels {
namespace {

template <int Width> constexpr int kForwardKeys = Width <= 128 ? 64 : 32;  // of a tile

template <int Width> struct ForwardShared {
  uint4 q[kMmaRows * Width / 8], k[2][kForwardKeys<Width> * Width / 8], v[2][kForwardKeys<Width> * Width / 8];
};

template <class T, int Width, bool plain>
__global__ void __launch_bounds__(kMmaThreads, Width <= 64 ? 3 : 2) attention_forward_flash_kernel(const AttentionForwardArgs GPU_IN_PLACE args) {
  constexpr int kKeys = kForwardKeys<Width>;
  using Tiles = HeadTiles<T, Width>;
  const AttentionProblem& p = args.problem;
  auto& shared = *gpu::dynamic_shared<ForwardShared<Width>>();
  const int blocks = static_cast<int>((p.queries + kMmaRows - 1) / kMmaRows);
  const int64_t head = blockIdx.x / blocks;
  const int begin = static_cast<int>(blockIdx.x) % blocks * kMmaRows, row = begin + warp_row();
  const Tiles q(p.q, p, head, p.queries), k(p.k, p, head, p.keys), v(p.v, p, head, p.keys);
  const PairsOfHead<T, plain> pairs(p, head);
  OnlineSoftmax softmax{pairs.factor};
  Fragments16<Width> out = {};

  q.template start<kMmaRows>(shared.q, begin);
  const auto start = [&](int first, int buffer) {
    k.template start<kKeys>(shared.k[buffer], first), v.template start<kKeys>(shared.v[buffer], first);
  };
  for_each_tile<kKeys>(0, static_cast<int>(keys_of(p, begin + kMmaRows - 1)), start, [&](int first, int buffer) {
    const auto at = [&](int i, int j) { return Pair{row + i, first + j}; };
    Fragments16<kKeys> s;
    float scale[2];
    Tiles::template multiply<kKeys>(s, shared.q, shared.k[buffer]);
    pairs.template finish<kKeys>(s, first + kKeys > keys_of(p, row), at);
    softmax.carry_on<kKeys>(s, scale);
    const auto kept = pairs.template kept<kKeys>(at);
#pragma unroll
    for (int j = 0; j < kKeys / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) s[j][e] *= kept(j, e);
#pragma unroll
    for (int d = 0; d < Width / 8; ++d)
#pragma unroll
      for (int e = 0; e < 4; ++e) out[d][e] *= scale[e / 2];
    Tiles::template add<kKeys, Width>(out, s, shared.v[buffer], 0);
  });

  store_result<T, Width>(args, head, row, softmax, out);
}

bool supports(const AttentionForwardArgs& a) { return supports_mma(a.problem) && has_aligned_rows(a.out, 8); }
double error(const AttentionForwardArgs& a) { return AttentionError{a.problem, true}.forward(); }

Status run(const AttentionForwardArgs& a, Workspace& w) {
  const AttentionProblem& p = a.problem;
  const unsigned blocks = static_cast<unsigned>(head_count(p)) * blocks_for(p.queries, kMmaRows);
  if (blocks == 0) return Status::ok;
  return with_mma_width(p, [&]<class T, int Width, bool plain>() {
    const gpu::Launch at{.grid = dim3(blocks), .block = kMmaThreads, .smem = sizeof(ForwardShared<Width>), .stream = stream_of(w)};
    return status_of(gpu::launch<attention_forward_flash_kernel<T, Width, plain>>(at, a));
  });
}

}  // namespace

TAPETUM_CANDIDATE(AttentionForwardArgs, attention_forward_flash_cuda){.name = "flash", .supports = supports, .error = error, .run = run};

}  // namespace tapetum::kernels
