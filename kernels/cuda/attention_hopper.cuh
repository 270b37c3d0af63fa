// What the attention kernels for sm_90a share. A block has 128 rows, in two groups of four warps; tiles of what they meet come to rings of stages
// (TMA, by one more group), and products and their sums stay in registers (wgmma).
#pragma once
#include <algorithm>

#include "kernels/cuda/attention_softmax.cuh"
#include "kernels/cuda/gpu/hopper.cuh"
#include "kernels/cuda/gpu/properties.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kGroup = 128, kConsumers = 2, kBlock = (1 + kConsumers) * kGroup;  // threads
constexpr int kGroupRows = 64, kRows = kGroupRows * kConsumers;

// The place in a ring of the block's i-th tile, and the parity of its rounds.
template <int Stages> struct Turn {
  int stage, parity;
  __device__ explicit Turn(int i) : stage(i % Stages), parity(i / Stages % 2) {}
};

// Which rows a block has: queries or keys. The blocks of a causal problem that meet most go first, which are the last queries or the first keys.
struct BlockOfRows {
  int64_t head;
  int begin;

  __device__ BlockOfRows(const AttentionProblem& p, int64_t rows, bool last_first) {
    const int blocks = static_cast<int>((rows + kRows - 1) / kRows), number = static_cast<int>(blockIdx.x);
    const int heads = static_cast<int>(head_count(p)), place = number / heads;
    head = number % heads;
    begin = (last_first ? blocks - 1 - place : place) * kRows;
  }
};
// How many tiles of Keys the queries from `begin` on meet.
template <int Keys> __device__ int tiles_of_keys(const AttentionProblem& p, int begin) {
  return static_cast<int>((keys_of(p, begin + kRows - 1) + Keys - 1) / Keys);
}
// The first row of a warp in its group.
__device__ inline int row_in_group() { return static_cast<int>(threadIdx.x) % kGroup / kWarp * kWarpRows; }

// The first group of warps gives most of its registers to the others.
template <class Produce, class Consume> __device__ void divide_work(Produce produce, Consume consume) {
  const int group = static_cast<int>(threadIdx.x) / kGroup;
  if (group == 0) {
    ptx::setmaxnreg_dec<24>();
    produce();
  } else {
    ptx::setmaxnreg_inc<240>();
    consume(group - 1);
  }
}

// A tensor of heads as TMA sees it: a dimension that repeats one element has that alone.
struct HeadMap {
  gpu::TensorMap map;
  bool heads, batches;
};

// Rows from `first` on, in boxes of 64 columns, which are the 128 bytes of a swizzle.
template <int Width, int Rows>
__device__ void load(uint16_t* tile, const HeadMap& x, const AttentionProblem& p, int64_t head, int first, uint64_t* full) {
  const int h = x.heads ? static_cast<int>(head % p.heads) : 0, b = x.batches ? static_cast<int>(head / p.heads) : 0;
  for (int column = 0; column < Width; column += 64) ptx::tma_load_4d(tile + column * Rows, &x.map, column, first, h, b, full);
}

template <class T> constexpr bool kF16 = std::is_same_v<T, Half>;

// Begins s = a b^T, of a's 64 rows from `row` on and all rows of b.
template <class T, int Width, int Partners> __device__ void start_products(Fragments16<Partners>& s, const uint16_t* a, int row, const uint16_t* b) {
  const auto columns = [](const uint16_t* tile, int rows, int line, int column) {  // 16 of them, of rows from `line` on
    return ptx::wgmma_desc(tile + column / 64 * 64 * rows + line * 64 + column % 64, 0, 1024, gpu::Swizzle::b128);
  };
  ptx::wgmma_fence();
#pragma unroll
  for (int step = 0; step < Width; step += 16)
    ptx::wgmma_m64k16<kF16<T>, false, false>(s, columns(a, kRows, row, step), columns(b, Partners, 0, step), step > 0);
  ptx::wgmma_commit();
}

// A group's rows of weights, rounded as a product takes them.
template <int Partners> using Weights16 = uint32_t[Partners / 16][4];

template <class T, int Partners> __device__ void pack_weights(Weights16<Partners>& weights, const Fragments16<Partners>& s) {
#pragma unroll
  for (int j = 0; j < Partners / 8; ++j)
#pragma unroll
    for (int half = 0; half < 2; ++half) weights[j / 2][j % 2 * 2 + half] = pack<T>(s[j][2 * half], s[j][2 * half + 1]);
}

// Begins sums += weights b.
template <class T, int Width, int Partners>
__device__ void start_sum(Fragments16<Width>& sums, const Weights16<Partners>& weights, const uint16_t* b) {
  ptx::wgmma_fence();
#pragma unroll
  for (int step = 0; step < Partners; step += 16)  // 8 rows are 1024 bytes apart, 64 columns a box
    ptx::wgmma_m64k16<kF16<T>, true>(sums, weights[step / 16], ptx::wgmma_desc(b + step * 64, Partners * 128, 1024, gpu::Swizzle::b128), true);
  ptx::wgmma_commit();
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

template <class Shared> gpu::Launch launch_rows(const AttentionProblem& p, int64_t rows, const Workspace& w) {
  return {
      .grid = dim3(static_cast<unsigned>(head_count(p)) * blocks_for(rows, kRows)), .block = kBlock, .smem = sizeof(Shared), .stream = stream_of(w)};
}

// f(type, width)
template <class F> Status with_hopper_width(const AttentionProblem& p, F f) {
  const auto with_width = [&]<class T>() { return p.width <= 64 ? f.template operator()<T, 64>() : f.template operator()<T, 128>(); };
  return p.dtype == DType::f16 ? with_width.template operator()<Half>() : with_width.template operator()<BFloat16>();
}

inline bool has_rows_apart(const Heads<const void*>& x, const AttentionProblem& p, int64_t rows) { return rows == 1 || x.row >= p.width; }
inline bool supports_hopper(const AttentionProblem& p) {
  return supports_mma(p) && is_plain(p) && p.width <= 128 && p.keys > 0 && p.queries > 0 && head_count(p) > 0 && has_rows_apart(p.q, p, p.queries) &&
         has_rows_apart(p.k, p, p.keys) && has_rows_apart(p.v, p, p.keys) && gpu::properties().capability == 90;
}

}  // namespace
}  // namespace tapetum::kernels
