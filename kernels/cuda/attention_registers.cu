// registers: f32 in heads of up to 128 numbers. A block makes 64 rows of the result and passes over tiles of 32 keys; a thread makes 4 x 4 scores
// of a tile and an eighth of four rows of the result, so that what it reads of shared memory, 16 bytes at a time, is used four times or more.
#include "kernels/cuda/attention_weights.cuh"
#include "kernels/cuda/neighbours.cuh"

namespace tapetum::kernels {
namespace {

using Four = Neighbours<float, 4>;

constexpr int kQueries = 64, kKeys = 32;                                                 // of a tile
constexpr int kOwn = 4, kDown = kQueries / kOwn, kAcross = 8, kBlock = kDown * kAcross;  // eight threads share four queries
constexpr float kNone = -std::numeric_limits<float>::infinity();                         // the score of a pair that takes no part
static_assert(kKeys == kOwn * kAcross);

// Rows are longer than what is in them: eight of q, k or v and four of the weights, which a warp reads or writes at once, meet in no bank.
template <int Width> struct RegisterTiles {
  Four q[kQueries][Width / 4 + 1], k[kKeys][Width / 4 + 1], v[kKeys][Width / 4 + 1], weights[kQueries][kKeys / 4 + 2];
};

__device__ inline int across() { return static_cast<int>(threadIdx.x) % kAcross; }
__device__ inline int own_query(int r) { return static_cast<int>(threadIdx.x) / kAcross + r * kDown; }  // of the block's
__device__ inline int own_key(int j) { return across() + j * kAcross; }                                 // of the tile's

// `count` rows of an operand; beyond them and beyond `width` are zeros.
struct FourRows {
  const Four* data;
  int64_t row, count;  // in groups of four
  int width;

  __device__ FourRows(const Heads<const void*>& x, const AttentionProblem& p, int64_t head, int64_t rows, int64_t columns)
      : data(reinterpret_cast<const Four*>(rows_of<float>(x, p, head))), row(x.row / 4), count(rows), width(static_cast<int>(columns / 4)) {}
  template <int kRows, int kRoom> __device__ void load(Four (&tile)[kRows][kRoom], int64_t first) const {
    static_assert(kRows * (kRoom - 1) % kBlock == 0);
#pragma unroll
    for (int n = 0; n < kRows * (kRoom - 1) / kBlock; ++n) {
      const int i = static_cast<int>(threadIdx.x) + n * kBlock, r = i / (kRoom - 1), c = i % (kRoom - 1);
      tile[r][c] = first + r < count && c < width ? data[(first + r) * row + c] : Four{};
    }
  }
};

// s[r][j] = own query r . own key j
template <int Width> __device__ void multiply(const RegisterTiles<Width>& tile, int width, float (&s)[kOwn][kOwn]) {
  for (int c = 0; c < width; ++c) {
    Four q[kOwn], k[kOwn];
#pragma unroll
    for (int i = 0; i < kOwn; ++i) q[i] = tile.q[own_query(i)][c], k[i] = tile.k[own_key(i)][c];
#pragma unroll
    for (int r = 0; r < kOwn; ++r)
#pragma unroll
      for (int j = 0; j < kOwn; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) s[r][j] += q[r].at[e] * k[j].at[e];
  }
}

// Four rows of the result, of which the thread has every eighth group of four columns.
template <int Width> struct OwnRows {
  float top[kOwn], sum[kOwn] = {};  // of the keys so far; the sum, of the thread's own
  float out[kOwn][Width / kAcross] = {};
  __device__ OwnRows() {
    for (float& t : top) t = kNone;
  }

  // Scores of a row become weights; what was summed is scaled when the maximum grows (online softmax: Milakov and Gimelshein, 2018).
  __device__ void carry_on(int r, float (&s)[kOwn]) {
    float most = kNone;
#pragma unroll
    for (float score : s) most = fmaxf(most, score);
    const float before = top[r];
    top[r] = fmaxf(before, max_lanes<kAcross>(most));
    const float shift = top[r] == kNone ? 0 : top[r], scale = expf(before - shift);
    sum[r] *= scale;
#pragma unroll
    for (float& x : out[r]) x *= scale;
#pragma unroll
    for (float& score : s) sum[r] += score = expf(score - shift);
  }

  __device__ void add(const RegisterTiles<Width>& tile) {
    for (int j = 0; j < kKeys / 4; ++j) {
      Four weight[kOwn];
#pragma unroll
      for (int r = 0; r < kOwn; ++r) weight[r] = tile.weights[own_query(r)][j];
#pragma unroll
      for (int e = 0; e < 4; ++e)
#pragma unroll
        for (int c = 0; c < Width / kAcross; c += 4) {
          const Four v = tile.v[j * 4 + e][across() + c / 4 * kAcross];
#pragma unroll
          for (int r = 0; r < kOwn; ++r)
#pragma unroll
            for (int i = 0; i < 4; ++i) out[r][c + i] += weight[r].at[e] * v.at[i];
        }
    }
  }

  // Row r becomes row i of the head's out and lse.
  __device__ void finish(const AttentionForwardArgs& args, int64_t head, int64_t i, int r) const {
    const AttentionProblem& p = args.problem;
    const float all = sum_lanes<kAcross>(sum[r]), inverse = all == 0 ? 0 : 1 / all;
    if (i >= p.queries) return;
    if (across() == 0) static_cast<float*>(args.lse)[head * p.queries + i] = all == 0 ? -kNone : top[r] + logf(all);
    Four* const y = reinterpret_cast<Four*>(rows_of<float>(args.out, p, head)) + i * (args.out.row / 4);
#pragma unroll
    for (int c = 0; c < Width / kAcross; c += 4) {
      Four part;
#pragma unroll
      for (int i = 0; i < 4; ++i) part.at[i] = out[r][c + i] * inverse;
      if (const int at = across() + c / 4 * kAcross; at < p.value_width / 4) y[at] = part;
    }
  }
};

// The factors of the thread's own weights: in a loop, since unrolled they would take more registers than all else.
template <int kRoom> __device__ void drop(Four (&weights)[kQueries][kRoom], const AttentionProblem& p, int64_t head, int64_t begin, int64_t first) {
  Dropout<float> dropout(p, head);
#pragma unroll 1
  for (int n = 0; n < kOwn * kOwn; ++n) {
    const int i = own_query(n / kOwn), j = own_key(n % kOwn);
    weights[i][j / 4].at[j % 4] *= dropout(begin + i, first + j);
  }
}

constexpr int blocks_at_once(int width) { return width <= 32 ? 4 : width <= 64 ? 3 : 2; }  // of a multiprocessor, as its registers allow

template <int Width> __global__ void __launch_bounds__(kBlock, blocks_at_once(Width)) attention_forward_registers_kernel(AttentionForwardArgs args) {
  const AttentionProblem& p = args.problem;
  const int64_t down = (p.queries + kQueries - 1) / kQueries, head = blockIdx.x / down, begin = blockIdx.x % down * kQueries;
  auto& tile = *gpu::dynamic_shared<RegisterTiles<Width>>();
  const FourRows k(p.k, p, head, p.keys, p.width), v(p.v, p, head, p.keys, p.value_width);
  const Scores<float, float> score(p, head);
  OwnRows<Width> rows;

  FourRows(p.q, p, head, p.queries, p.width).load(tile.q, begin);
  const int64_t met = keys_of(p, begin + kQueries - 1);
  for (int64_t first = 0; first < met; first += kKeys) {
    k.load(tile.k, first), v.load(tile.v, first);
    __syncthreads();
    float s[kOwn][kOwn] = {};
    multiply(tile, k.width, s);
#pragma unroll
    for (int r = 0; r < kOwn; ++r) {
      const int64_t i = begin + own_query(r);
#pragma unroll
      for (int j = 0; j < kOwn; ++j) s[r][j] = i < p.queries && first + own_key(j) < p.keys ? score(i, first + own_key(j), s[r][j]) : kNone;
      rows.carry_on(r, s[r]);
#pragma unroll
      for (int j = 0; j < kOwn; ++j) tile.weights[own_query(r)][own_key(j) / 4].at[own_key(j) % 4] = s[r][j];
    }
    if (has_dropout(p)) drop(tile.weights, p, head, begin, first);
    __syncwarp();
    rows.add(tile);
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < kOwn; ++r) rows.finish(args, head, begin + own_query(r), r);
}

bool supports(const AttentionForwardArgs& a) {
  const AttentionProblem& p = a.problem;
  return p.dtype == DType::f32 && p.width % 4 == 0 && p.value_width % 4 == 0 && p.width <= 128 && 0 < p.value_width && p.value_width <= 128 &&
         has_aligned_rows(p.q, 4) && has_aligned_rows(p.k, 4) && has_aligned_rows(p.v, 4) && has_aligned_rows(a.out, 4);
}
double error(const AttentionForwardArgs& a) { return AttentionError{a.problem, false}.forward(); }

template <int Width> Status launch(const AttentionForwardArgs& a, const Workspace& w) {
  const auto blocks = static_cast<unsigned>(head_count(a.problem)) * blocks_for(a.problem.queries, kQueries);
  const gpu::Launch at{.grid = dim3(blocks), .block = kBlock, .smem = sizeof(RegisterTiles<Width>), .stream = stream_of(w)};
  return blocks ? status_of(gpu::launch<attention_forward_registers_kernel<Width>>(at, a)) : Status::ok;
}
Status run(const AttentionForwardArgs& a, Workspace& w) {
  const int64_t width = a.problem.width < a.problem.value_width ? a.problem.value_width : a.problem.width;
  return width <= 32 ? launch<32>(a, w) : width <= 64 ? launch<64>(a, w) : launch<128>(a, w);
}

}  // namespace

TAPETUM_CANDIDATE(AttentionForwardArgs, attention_forward_registers_cuda){.name = "registers", .supports = supports, .error = error, .run = run};

}  // namespace tapetum::kernels
