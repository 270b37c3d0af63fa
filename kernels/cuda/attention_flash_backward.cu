// flash: the gradients of attention of f16 and bf16 on tensor cores, without atomics: blocks of 64 queries make gq, blocks of 64 keys gk and gv,
// and each computes its scores once more from lse. Wider heads than 128 are made in parts of 128 columns, which repeats the scores.
#include "kernels/cuda/attention_mma.cuh"

namespace tapetum::kernels {
namespace {

template <int Width> constexpr int kPartners = Width <= 64 ? 64 : 32;  // of a tile
template <int Width> constexpr int kOut = Width <= 128 ? Width : 128;  // columns of a block's result

// Rows of a block, q and gy or k and v, and two tiles of what they meet.
template <int Width> struct BackwardShared {
  uint4 a[kMmaRows * Width / 8], b[kMmaRows * Width / 8], with_a[2][kPartners<Width> * Width / 8], with_b[2][kPartners<Width> * Width / 8];
};

// Which rows and columns of which head a block makes.
template <int Width> struct PartOfBlock {
  int64_t head;
  int begin, column;

  __device__ explicit PartOfBlock(int64_t rows) {
    constexpr int kParts = Width / kOut<Width>;
    const int blocks = static_cast<int>((rows + kMmaRows - 1) / kMmaRows), number = static_cast<int>(blockIdx.x);
    column = number % kParts * kOut<Width>;
    begin = number / kParts % blocks * kMmaRows;
    head = number / (kParts * blocks);
  }
};

// For each tile from `first` on up to `end`: f(its first row, tile of a's partners, tile of b's), with both kinds of rows in shared memory.
template <class T, int Width, class F>
__device__ void for_each_tile(BackwardShared<Width>& shared, const HeadTiles<T, Width>& with_a, const HeadTiles<T, Width>& with_b, int first, int end,
                              F f) {
  constexpr int kRows = kPartners<Width>;
  const auto start = [&](int at) {
    const int buffer = at / kRows % 2;
    if (at < end) with_a.template start<kRows>(shared.with_a[buffer], at), with_b.template start<kRows>(shared.with_b[buffer], at);
    ptx::cp_async_commit();
  };
  start(first);
  for (; first < end; first += kRows) {
    start(first + kRows);
    ptx::cp_async_wait<1>();
    __syncthreads();
    f(first, shared.with_a[first / kRows % 2], shared.with_b[first / kRows % 2]);
    __syncthreads();  // before the buffer is filled again
  }
}

template <class T, int Width>
__global__ void __launch_bounds__(kMmaThreads) attention_backward_queries_flash_kernel(AttentionBackwardArgs args, const float* delta) {
  constexpr int kKeys = kPartners<Width>, kColumns = kOut<Width>;
  using Tiles = HeadTiles<T, Width>;
  const AttentionProblem& p = args.problem;
  auto& shared = *gpu::dynamic_shared<BackwardShared<Width>>();
  const PartOfBlock<Width> part(p.queries);
  const Tiles q(p.q, p, part.head, p.queries), gy(args.gy, p, part.head, p.queries), k(p.k, p, part.head, p.keys), v(p.v, p, part.head, p.keys);
  Weights<T, float> weights(p, args.lse, delta, part.head);
  Fragments16<kColumns> gq = {};

  q.template start<kMmaRows>(shared.a, part.begin);
  gy.template start<kMmaRows>(shared.b, part.begin);
  const int met = static_cast<int>(keys_of(p, part.begin + kMmaRows - 1));
  for_each_tile(shared, k, v, 0, met, [&](int first, const uint4* tile_k, const uint4* tile_v) {
    Fragments16<kKeys> qk, dp;
    Tiles::template multiply<kKeys>(qk, shared.a, tile_k);
    Tiles::template multiply<kKeys>(dp, shared.b, tile_v);
#pragma unroll
    for (int j = 0; j < kKeys / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) dp[j][e] = weights(part.begin + warp_row() + row_of(e), first + j * 8 + column_of(e), qk[j][e], dp[j][e]).slope;
    Tiles::template add<kKeys, kColumns>(gq, dp, tile_k, part.column);
  });
  Tiles::template store<kColumns>(rows_of<T>(args.gq, p, part.head) + part.begin * args.gq.row, args.gq.row, q.count - part.begin, q.width,
                                  part.column, gq, {1, 1});
}

template <class T, int Width>
__global__ void __launch_bounds__(kMmaThreads) attention_backward_keys_flash_kernel(AttentionBackwardArgs args, const float* delta) {
  constexpr int kQueries = kPartners<Width>, kColumns = kOut<Width>;
  using Tiles = HeadTiles<T, Width>;
  const AttentionProblem& p = args.problem;
  auto& shared = *gpu::dynamic_shared<BackwardShared<Width>>();
  const PartOfBlock<Width> part(p.keys);
  const Tiles q(p.q, p, part.head, p.queries), gy(args.gy, p, part.head, p.queries), k(p.k, p, part.head, p.keys), v(p.v, p, part.head, p.keys);
  Weights<T, float> weights(p, args.lse, delta, part.head);
  Fragments16<kColumns> gk = {}, gv = {};

  k.template start<kMmaRows>(shared.a, part.begin);
  v.template start<kMmaRows>(shared.b, part.begin);
  for_each_tile(shared, q, gy, p.causal ? part.begin : 0, q.count, [&](int first, const uint4* tile_q, const uint4* tile_gy) {
    Fragments16<kQueries> qk, dp;
    Tiles::template multiply<kQueries>(qk, shared.a, tile_q);
    Tiles::template multiply<kQueries>(dp, shared.b, tile_gy);
#pragma unroll
    for (int j = 0; j < kQueries / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const Weight<float> w = weights(first + j * 8 + column_of(e), part.begin + warp_row() + row_of(e), qk[j][e], dp[j][e]);
        qk[j][e] = w.weight;
        dp[j][e] = w.slope;
      }
    Tiles::template add<kQueries, kColumns>(gv, qk, tile_gy, part.column);
    Tiles::template add<kQueries, kColumns>(gk, dp, tile_q, part.column);
  });
  const int rows = k.count - part.begin;
  Tiles::template store<kColumns>(rows_of<T>(args.gk, p, part.head) + part.begin * args.gk.row, args.gk.row, rows, k.width, part.column, gk, {1, 1});
  Tiles::template store<kColumns>(rows_of<T>(args.gv, p, part.head) + part.begin * args.gv.row, args.gv.row, rows, k.width, part.column, gv, {1, 1});
}

bool supports(const AttentionBackwardArgs& a) {
  return supports_mma(a.problem) && has_aligned_rows(a.gy) && has_aligned_rows(a.gq) && has_aligned_rows(a.gk) && has_aligned_rows(a.gv);
}
double error(const AttentionBackwardArgs& a) {
  const AttentionProblem& p = a.problem;
  return 32 + 4 * __builtin_sqrt(static_cast<double>(p.width + p.value_width)) + 4 * __builtin_sqrt(static_cast<double>(p.keys + p.queries)) +
         rounding(p.dtype);
}

Status run(const AttentionBackwardArgs& a, Workspace& w) {
  const AttentionProblem& p = a.problem;
  float* delta = static_cast<float*>(w.data);
  return with_mma_width(p, [&]<class T, int Width>() {
    const auto blocks = [&](int64_t rows) {
      const unsigned count = static_cast<unsigned>(head_count(p)) * blocks_for(rows, kMmaRows) * (Width / kOut<Width>);
      return gpu::Launch{.grid = dim3(count), .block = kMmaThreads, .smem = sizeof(BackwardShared<Width>), .stream = stream_of(w)};
    };
    const gpu::Launch rows = launch_threads(head_count(p) * p.queries, w, kWarp), queries = blocks(p.queries), keys = blocks(p.keys);
    cudaError_t e = cudaSuccess;
    if (rows.grid.x) e = gpu::launch<attention_backward_delta_kernel<T, float>>(rows, a, delta);
    if (e == cudaSuccess && queries.grid.x) e = gpu::launch<attention_backward_queries_flash_kernel<T, Width>>(queries, a, delta);
    if (e == cudaSuccess && keys.grid.x) e = gpu::launch<attention_backward_keys_flash_kernel<T, Width>>(keys, a, delta);
    return status_of(e);
  });
}

}  // namespace

TAPETUM_CANDIDATE(AttentionBackwardArgs, attention_backward_flash_cuda){
    .name = "flash", .supports = supports, .workspace = delta_bytes, .error = error, .run = run};

}  // namespace tapetum::kernels
