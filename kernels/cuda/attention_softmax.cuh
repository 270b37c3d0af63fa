// Scores of a warp of the tensor-core kernels: 16 rows of a tile in the fragments that a product leaves and the next one takes, so that they
// need no shared memory (Dao, "FlashAttention-2", 2023).
#pragma once
#include "kernels/cuda/attention_weights.cuh"
#include "kernels/cuda/mma_tile.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kWarpRows = 16;
template <int Columns> using Fragments16 = float[Columns / 8][4];  // of a warp: 16 x Columns

// Element q of fragment j lies in row row_of(q) and column j * 8 + column_of(q).
__device__ inline int row_of(int q) { return lane() / 4 + q / 2 * 8; }
__device__ inline int column_of(int q) { return lane() % 4 * 2 + q % 2; }

constexpr float kNone = -std::numeric_limits<float>::infinity();  // the score of a pair that takes no part
constexpr float kPowersOfTwo = 1.44269504f;                       // exp(x) = 2^(kPowersOfTwo x)

struct Pair {
  int query, key;
};

// What a tile's products become. Plain: there is neither mask nor dropout and the scale is positive, so that products are left as they are;
// otherwise they become scores. 2^(factor s - shift) is a weight.
template <class T, bool plain> class PairsOfHead {
 public:
  const float factor;

  __device__ PairsOfHead(const AttentionProblem& problem, int64_t head)
      : factor(plain ? static_cast<float>(problem.scale) * kPowersOfTwo : kPowersOfTwo),
        p_(problem),
        head_(head),
        score_(problem, head),
        queries_(static_cast<int>(problem.queries)),
        keys_(static_cast<int>(problem.keys)) {}

  // at(row, column): the pair of an element. edge: some pairs of the tile may take no part.
  template <int Columns, class At> __device__ void finish(Fragments16<Columns>& s, bool edge, At at) const {
    if (plain && !edge) return;
#pragma unroll
    for (int j = 0; j < Columns / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const auto [query, key] = at(row_of(e), j * 8 + column_of(e));
        const bool inside = query < queries_ && key < keys_ && !(score_.causal && key > query);
        if constexpr (plain)
          s[j][e] = inside ? s[j][e] : kNone;
        else
          s[j][e] = inside ? score_(query, key, s[j][e]) : kNone;
      }
  }

  // Dropout's factors of a tile: bit 4 j + e tells whether element e of fragment j is kept. They are drawn in a loop, since unrolled it
  // would take more registers than all else.
  struct Kept {
    uint32_t bits;
    float scale;
    __device__ float operator()(int j, int e) const { return plain || bits >> (4 * j + e) & 1 ? scale : 0; }
  };
  template <int Columns, class At> __device__ Kept kept(At at) const {
    static_assert(Columns <= 64);
    if (plain || !has_dropout(p_)) return {~0u, 1};
    Dropout<float> dropout(p_, head_);
    Kept kept{0, static_cast<float>(1 / p_.dropout.keep)};
#pragma unroll 1
    for (int i = 0; i < Columns / 2; ++i) {
      const auto [query, key] = at(row_of(i % 4), i / 4 * 8 + column_of(i % 4));
      kept.bits |= static_cast<uint32_t>(dropout(query, key) != 0) << i;
    }
    return kept;
  }

 private:
  const AttentionProblem& p_;
  int64_t head_;
  Scores<T, float> score_;
  int queries_, keys_;
};

// Of the rows of one thread, above and below: each is shared by four lanes, which sum up their own columns until the end.
struct OnlineSoftmax {
  float factor, top[2] = {kNone, kNone}, sum[2] = {};

  // 2^(factor (s - top)) in place of s: that of the greatest score is 1, however large. scale: what earlier sums are to be scaled by.
  template <int Columns> __device__ void carry_on(Fragments16<Columns>& s, float (&scale)[2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float most = kNone;
#pragma unroll
      for (int j = 0; j < Columns / 8; ++j) most = fmaxf(most, fmaxf(s[j][2 * half], s[j][2 * half + 1]));
      const float before = top[half];
      top[half] = fmaxf(before, max_lanes<4>(most));
      const float shift = top[half] == kNone ? 0 : top[half];
      scale[half] = ptx::ex2((before - shift) * factor);
      sum[half] *= scale[half];
#pragma unroll
      for (int j = 0; j < Columns / 8; ++j)
#pragma unroll
        for (int q = 2 * half; q < 2 * half + 2; ++q) sum[half] += s[j][q] = ptx::ex2((s[j][q] - shift) * factor);
    }
  }
};

// A warp's rows from `y` on, of which there are `count`, scale[0] times the upper and scale[1] times the lower ones.
template <class T, int Columns>
__device__ void store_rows(T* y, int64_t stride, int count, int width, const Fragments16<Columns>& sums, const float (&scale)[2]) {
#pragma unroll
  for (int q = 0; q < 4; q += 2)
#pragma unroll
    for (int j = 0; j < Columns / 8; ++j) {
      const int i = row_of(q), column = j * 8 + column_of(0);
      if (i < count && column < width)
        *reinterpret_cast<uint32_t*>(y + i * stride + column) = pack<T>(sums[j][q] * scale[q / 2], sums[j][q + 1] * scale[q / 2]);
    }
}

// The end of a warp's rows from query `row` on: out and lse.
template <class T, int Width>
__device__ void store_result(const AttentionForwardArgs& args, int64_t head, int row, const OnlineSoftmax& softmax, const Fragments16<Width>& out) {
  const AttentionProblem& p = args.problem;
  const int count = static_cast<int>(p.queries) - row;
  float inverse[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float sum = sum_lanes<4>(softmax.sum[half]);
    const int i = row_of(2 * half);
    inverse[half] = sum == 0 ? 0 : 1 / sum;
    if (lane() % 4 == 0 && i < count)
      static_cast<float*>(args.lse)[head * p.queries + row + i] = sum == 0 ? -kNone : softmax.top[half] * (softmax.factor / kPowersOfTwo) + logf(sum);
  }
  store_rows<T, Width>(rows_of<T>(args.out, p, head) + row * args.out.row, args.out.row, count, static_cast<int>(p.width), out, inverse);
}

inline bool is_plain(const AttentionProblem& p) {
  return !p.mask.data && !has_dropout(p) && static_cast<float>(p.scale) >= std::numeric_limits<float>::min();
}

inline bool supports_mma(const AttentionProblem& p) {
  constexpr int64_t most = int64_t{1} << 30;  // rows are counted in int
  return (p.dtype == DType::f16 || p.dtype == DType::bf16) && p.width == p.value_width && p.width % 8 == 0 && 0 < p.width && p.width <= 256 &&
         p.queries < most && p.keys < most && has_aligned_rows(p.q, 8) && has_aligned_rows(p.k, 8) && has_aligned_rows(p.v, 8);
}

}  // namespace
}  // namespace tapetum::kernels
