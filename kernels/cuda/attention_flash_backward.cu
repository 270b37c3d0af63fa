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
  float lse[2][kPartners<Width>], delta[2][kPartners<Width>];  // where the partners are queries
};

// Which rows and columns of which head a block makes, and what it reads: `rows` are queries or keys.
template <class T, int Width> struct BackwardBlock {
  int64_t head;
  int begin, column;
  HeadTiles<T, Width> q, gy, k, v;

  __device__ BackwardBlock(const AttentionBackwardArgs& args, int64_t rows) : BackwardBlock(args, rows, static_cast<int>(blockIdx.x)) {}

 private:
  static constexpr int kParts = Width / kOut<Width>;
  __device__ static int blocks(int64_t rows) { return static_cast<int>((rows + kMmaRows - 1) / kMmaRows); }
  __device__ BackwardBlock(const AttentionBackwardArgs& args, int64_t rows, int number)
      : head(number / (kParts * blocks(rows))),
        begin(number / kParts % blocks(rows) * kMmaRows),
        column(number % kParts * kOut<Width>),
        q(args.problem.q, args.problem, head, args.problem.queries),
        gy(args.gy, args.problem, head, args.problem.queries),
        k(args.problem.k, args.problem, head, args.problem.keys),
        v(args.problem.v, args.problem, head, args.problem.keys) {}
};

template <class T, int Width, bool plain>
__global__ void __launch_bounds__(kMmaThreads, Width <= 64 ? 3 : 2)
    attention_backward_queries_flash_kernel(const AttentionBackwardArgs GPU_IN_PLACE args, const float* delta) {
  constexpr int kKeys = kPartners<Width>, kColumns = kOut<Width>;
  using Tiles = HeadTiles<T, Width>;
  const AttentionProblem& p = args.problem;
  auto& shared = *gpu::dynamic_shared<BackwardShared<Width>>();
  const BackwardBlock<T, Width> block(args, p.queries);
  const PairsOfHead<T, plain> pairs(p, block.head);
  const int row = block.begin + warp_row();
  float shift[2], delta_of[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int query = row + row_of(2 * half);
    const int64_t number = block.head * p.queries + query;
    shift[half] = query < block.q.count ? static_cast<const float*>(args.lse)[number] * kPowersOfTwo : 0;
    delta_of[half] = query < block.q.count ? delta[number] : 0;
  }
  Fragments16<kColumns> gq = {};

  block.q.template start<kMmaRows>(shared.a, block.begin);
  block.gy.template start<kMmaRows>(shared.b, block.begin);
  const auto start = [&](int first, int buffer) {
    block.k.template start<kKeys>(shared.with_a[buffer], first);
    block.v.template start<kKeys>(shared.with_b[buffer], first);
  };
  for_each_tile<kKeys>(0, static_cast<int>(keys_of(p, block.begin + kMmaRows - 1)), start, [&](int first, int buffer) {
    const auto at = [&](int i, int j) { return Pair{row + i, first + j}; };
    Fragments16<kKeys> s, ds;
    Tiles::template multiply<kKeys>(s, shared.a, shared.with_a[buffer]);
    pairs.template finish<kKeys>(s, first + kKeys > keys_of(p, row), at);
    Tiles::template multiply<kKeys>(ds, shared.b, shared.with_b[buffer]);
    const auto kept = pairs.template kept<kKeys>(at);
#pragma unroll
    for (int j = 0; j < kKeys / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) ds[j][e] = ptx::ex2(s[j][e] * pairs.factor - shift[e / 2]) * (kept(j, e) * ds[j][e] - delta_of[e / 2]);
    Tiles::template add<kKeys, kColumns>(gq, ds, shared.with_a[buffer], block.column);
  });
  const float scale = static_cast<float>(p.scale);
  store_rows<T, kColumns>(rows_of<T>(args.gq, p, block.head) + row * args.gq.row + block.column, args.gq.row, block.q.count - row,
                          block.q.width - block.column, gq, {scale, scale});
}

template <class T, int Width, bool plain>
__global__ void __launch_bounds__(kMmaThreads)
    attention_backward_keys_flash_kernel(const AttentionBackwardArgs GPU_IN_PLACE args, const float* delta) {
  constexpr int kQueries = kPartners<Width>, kColumns = kOut<Width>;
  using Tiles = HeadTiles<T, Width>;
  const AttentionProblem& p = args.problem;
  auto& shared = *gpu::dynamic_shared<BackwardShared<Width>>();
  const BackwardBlock<T, Width> block(args, p.keys);
  const PairsOfHead<T, plain> pairs(p, block.head);
  const int row = block.begin + warp_row();
  Fragments16<kColumns> gk = {}, gv = {};

  block.k.template start<kMmaRows>(shared.a, block.begin);
  block.v.template start<kMmaRows>(shared.b, block.begin);
  const auto start = [&](int first, int buffer) {
    block.q.template start<kQueries>(shared.with_a[buffer], first);
    block.gy.template start<kQueries>(shared.with_b[buffer], first);
    if (const int i = static_cast<int>(threadIdx.x); i < kQueries) {
      const bool inside = first + i < block.q.count;
      const int64_t number = block.head * p.queries + (inside ? first + i : 0);
      ptx::cp_async<4>(&shared.lse[buffer][i], static_cast<const float*>(args.lse) + number, inside);
      ptx::cp_async<4>(&shared.delta[buffer][i], delta + number, inside);
    }
  };
  for_each_tile<kQueries>(p.causal ? block.begin : 0, block.q.count, start, [&](int first, int buffer) {
    const auto at = [&](int i, int j) { return Pair{first + j, row + i}; };
    const bool edge = first + kQueries > block.q.count || (p.causal && row + kWarpRows - 1 > first);
    Fragments16<kQueries> weights, ds;
    Tiles::template multiply<kQueries>(weights, shared.a, shared.with_a[buffer]);
    pairs.template finish<kQueries>(weights, edge, at);
    Tiles::template multiply<kQueries>(ds, shared.b, shared.with_b[buffer]);
    const auto kept = pairs.template kept<kQueries>(at);
#pragma unroll
    for (int j = 0; j < kQueries / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int query = j * 8 + column_of(e);
        const float weight = ptx::ex2(weights[j][e] * pairs.factor - shared.lse[buffer][query] * kPowersOfTwo);
        weights[j][e] = kept(j, e) * weight;
        ds[j][e] = weight * (kept(j, e) * ds[j][e] - shared.delta[buffer][query]);
      }
    Tiles::template add<kQueries, kColumns>(gv, weights, shared.with_b[buffer], block.column);
    Tiles::template add<kQueries, kColumns>(gk, ds, shared.with_a[buffer], block.column);
  });
  const float scale = static_cast<float>(p.scale);
  const int rows = block.k.count - row, columns = block.k.width - block.column;
  store_rows<T, kColumns>(rows_of<T>(args.gk, p, block.head) + row * args.gk.row + block.column, args.gk.row, rows, columns, gk, {scale, scale});
  store_rows<T, kColumns>(rows_of<T>(args.gv, p, block.head) + row * args.gv.row + block.column, args.gv.row, rows, columns, gv, {1, 1});
}

bool supports(const AttentionBackwardArgs& a) {
  return supports_mma(a.problem) && has_aligned_rows(a.gy, 8) && has_aligned_rows(a.gq, 8) && has_aligned_rows(a.gk, 8) && has_aligned_rows(a.gv, 8);
}
double error(const AttentionBackwardArgs& a) { return AttentionError{a.problem, true}.backward(); }

Status run(const AttentionBackwardArgs& a, Workspace& w) {
  const AttentionProblem& p = a.problem;
  return with_mma_width(p, [&]<class T, int Width, bool plain>() {
    const auto blocks = [&](int64_t rows) {
      const unsigned count = static_cast<unsigned>(head_count(p)) * blocks_for(rows, kMmaRows) * (Width / kOut<Width>);
      return gpu::Launch{.grid = dim3(count), .block = kMmaThreads, .smem = sizeof(BackwardShared<Width>), .stream = stream_of(w)};
    };
    return launch_backward<T, float, attention_backward_queries_flash_kernel<T, Width, plain>, attention_backward_keys_flash_kernel<T, Width, plain>>(
        a, w, blocks(p.queries), blocks(p.keys));
  });
}

}  // namespace

TAPETUM_CANDIDATE(AttentionBackwardArgs, attention_backward_flash_cuda){
    .name = "flash", .supports = supports, .workspace = delta_bytes, .error = error, .run = run};

}  // namespace tapetum::kernels
