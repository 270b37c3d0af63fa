// Rows of one head in shared memory, and their products on tensor cores (mma.m16n8k16, f16 or bf16, sums in f32). A block has four warps of
// 16 rows each; partners come in tiles, two of which are in shared memory: one is multiplied while the next arrives.
#pragma once
#include "kernels/cuda/attention_weights.cuh"
#include "kernels/cuda/mma_tile.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kMmaThreads = 128, kWarpRows = 16, kMmaRows = kMmaThreads / kWarp * kWarpRows;

// Element q of fragment j lies in row warp_row() + row_of(q) and column j * 8 + column_of(q) of a block's tile.
__device__ inline int warp_row() { return static_cast<int>(threadIdx.x) / kWarp * kWarpRows; }
__device__ inline int row_of(int q) { return lane() / 4 + q / 2 * 8; }
__device__ inline int column_of(int q) { return lane() % 4 * 2 + q % 2; }

template <int Columns> using Fragments16 = float[Columns / 8][4];  // of a warp: 16 x Columns

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

// use(first, buffer) for each tile of Rows partners from `first` on, when start(first, buffer) has brought it to shared memory: the next one
// arrives meanwhile.
template <int Rows, class Start, class Use> __device__ void for_each_tile(int first, int end, Start start, Use use) {
  const auto start_at = [&](int at) {
    if (at < end) start(at, at / Rows % 2);
    ptx::cp_async_commit();
  };
  start_at(first);
  for (; first < end; first += Rows) {
    ptx::cp_async_wait<0>();
    __syncthreads();  // this tile is there, and nobody reads the one before
    start_at(first + Rows);
    use(first, first / Rows % 2);
  }
}

// A head's rows of up to Width elements, a multiple of 8, each 16 bytes aligned.
template <class T, int Width> struct HeadTiles {
  static constexpr int kChunks = Width / 8;  // of a row

  const T* data;
  int64_t row;
  int count, width;

  __device__ HeadTiles(const Heads<const void*>& x, const AttentionProblem& p, int64_t head, int64_t rows)
      : data(rows_of<T>(x, p, head)), row(x.row), count(static_cast<int>(rows)), width(static_cast<int>(p.width)) {}

  // Of a chunk in a tile: those that ldmatrix reads at once lie in different banks. Known parts of `chunk` stay known, and cost no register.
  __device__ static int place(int i, int chunk) { return i * kChunks + chunk / 8 * 8 + (chunk % 8 ^ i % 8); }

  // Starts to copy rows [first, first + Rows); beyond the head are zeros.
  template <int Rows> __device__ void start(uint4* tile, int first) const {
    constexpr int kStep = kMmaThreads / kChunks;  // rows that the block copies at once
    const int chunk = static_cast<int>(threadIdx.x) % kChunks, own = static_cast<int>(threadIdx.x) / kChunks;
    const T* from = data + (first + own) * row + chunk * 8;
    const int end = chunk * 8 < width ? count - first : 0;
#pragma unroll 1
    for (int i = own; i < Rows; i += kStep, from += kStep * row) ptx::cp_async<16>(&tile[place(i, chunk)], i < end ? from : data, i < end);
  }

  // The warp's rows of a times Columns rows of b, over the whole width.
  template <int Columns> __device__ static void multiply(Fragments16<Columns>& products, const uint4* a, const uint4* b) {
#pragma unroll
    for (int j = 0; j < Columns / 8; ++j)
#pragma unroll
      for (float& x : products[j]) x = 0;
#pragma unroll 4
    for (int step = 0; step < Width / 16; ++step) {
      uint32_t of_a[4], of_b[4];
      ptx::ldmatrix_x4(of_a, &a[place(warp_row() + lane() % 16, step * 2 + lane() / 16)]);
#pragma unroll
      for (int j = 0; j < Columns / 16; ++j) {
        ptx::ldmatrix_x4(of_b, &b[place(j * 16 + lane() % 16, step * 2 + lane() / 16)]);
        mma<T>(products[2 * j], of_a, {of_b[0], of_b[2]});
        mma<T>(products[2 * j + 1], of_a, {of_b[1], of_b[3]});
      }
    }
  }

  // sums [16 x Out] += weights [16 x Partners] times rows of b, from its column `first` on. Products' registers are a's of the next product.
  template <int Partners, int Out>
  __device__ static void add(Fragments16<Out>& sums, const Fragments16<Partners>& weights, const uint4* b, int first) {
#pragma unroll
    for (int j = 0; j < Partners / 16; ++j) {
      const float(&left)[4] = weights[2 * j], (&right)[4] = weights[2 * j + 1];
      const uint32_t a[4] = {pack<T>(left[0], left[1]), pack<T>(left[2], left[3]), pack<T>(right[0], right[1]), pack<T>(right[2], right[3])};
#pragma unroll
      for (int d = 0; d < Out / 16; ++d) {
        uint32_t of_b[4];
        ptx::ldmatrix_x4<true>(of_b, &b[place(j * 16 + lane() % 16, first / 8 + d * 2 + lane() / 16)]);
        mma<T>(sums[2 * d], a, {of_b[0], of_b[1]});
        mma<T>(sums[2 * d + 1], a, {of_b[2], of_b[3]});
      }
    }
  }

  // The warp's rows of a result from `row` of it on, scale[0] times the upper and scale[1] times the lower ones.
  template <int Out>
  __device__ static void store(T* y, int64_t stride, int count, int width, int first, const Fragments16<Out>& sums, const float (&scale)[2]) {
#pragma unroll
    for (int q = 0; q < 4; q += 2)
#pragma unroll
      for (int d = 0; d < Out / 8; ++d) {
        const int i = warp_row() + row_of(q), column = first + d * 8 + column_of(0);
        if (i < count && column < width)
          *reinterpret_cast<uint32_t*>(y + i * stride + column) = pack<T>(sums[d][q] * scale[q / 2], sums[d][q + 1] * scale[q / 2]);
      }
  }
};

inline bool is_plain(const AttentionProblem& p) {
  return !p.mask.data && !has_dropout(p) && static_cast<float>(p.scale) >= std::numeric_limits<float>::min();
}

// f(type, width, plain), with the least of the widths that kernels are made for.
template <class F> Status with_mma_width(const AttentionProblem& p, F f) {
  const auto with_width = [&]<class T, bool plain>() {
    if (p.width <= 64) return f.template operator()<T, 64, plain>();
    return p.width <= 128 ? f.template operator()<T, 128, plain>() : f.template operator()<T, 256, plain>();
  };
  const auto with_type = [&]<class T>() {
    return is_plain(p) ? with_width.template operator()<T, true>() : with_width.template operator()<T, false>();
  };
  return p.dtype == DType::f16 ? with_type.template operator()<Half>() : with_type.template operator()<BFloat16>();
}

template <class Pointer> bool has_aligned_rows(const Heads<Pointer>& x) {
  return reinterpret_cast<uintptr_t>(x.data) % 16 == 0 && x.batch % 8 == 0 && x.head % 8 == 0 && x.row % 8 == 0;
}
inline bool supports_mma(const AttentionProblem& p) {
  constexpr int64_t most = int64_t{1} << 30;  // rows are counted in int
  return (p.dtype == DType::f16 || p.dtype == DType::bf16) && p.width == p.value_width && p.width % 8 == 0 && 0 < p.width && p.width <= 256 &&
         p.queries < most && p.keys < most && has_aligned_rows(p.q) && has_aligned_rows(p.k) && has_aligned_rows(p.v);
}

// Weights are rounded to the problem's type before they are multiplied: in units of f32, which the products are summed in.
inline double rounding(DType dtype) { return dtype == DType::f16 ? 0x1p13 : 0x1p16; }

}  // namespace
}  // namespace tapetum::kernels
