// tiles: attention in any floating-point dtype and of any width, computed in f32 (f64 in f64). A block makes 32 rows x 64 columns of a result
// and passes over all partners of those rows, so it reads k and v once for 32 queries; wider heads compute their scores once for each 64 columns.
#include "kernels/cuda/attention_tiles.cuh"

namespace tapetum::kernels {
namespace {

template <class Args> bool supports(const Args&) { return true; }
double forward_error(const AttentionForwardArgs& a) { return AttentionError{a.problem, false}.forward(); }
double backward_error(const AttentionBackwardArgs& a) { return AttentionError{a.problem, false}.backward(); }

template <class S>
__device__ TileRows<S> tile_rows(const Heads<const void*>& x, const AttentionProblem& p, int64_t head, int64_t count, int64_t width) {
  return {rows_of<S>(x, p, head), x.row, count, width};
}

// Tile by tile of keys it carries each row's maximum and sum along, and scales what it has summed when the maximum grows (online softmax:
// Milakov and Gimelshein, 2018).
template <class S, class T> __global__ void __launch_bounds__(kThreads, 2) attention_forward_tiles_kernel(AttentionForwardArgs args) {
  const AttentionProblem& p = args.problem;
  const TileOfBlock block(p.queries, p.value_width);
  auto& tile = *gpu::dynamic_shared<AttentionTiles<T>>();
  const TileRows<S> q = tile_rows<S>(p.q, p, block.head, p.queries, p.width).from(block.first);
  const TileRows<S> k = tile_rows<S>(p.k, p, block.head, p.keys, p.width), v = tile_rows<S>(p.v, p, block.head, p.keys, p.value_width);
  const Scores<S, T> score(p, block.head);
  Dropout<T> dropout(p, block.head);
  constexpr T none = -std::numeric_limits<T>::infinity();
  T top[kOwnRows], sum[kOwnRows] = {}, out[kOwnRows][kOwnColumns] = {};
  for (T& t : top) t = none;

  const int64_t met = keys_of(p, block.first + kTileRows - 1);
  for (int64_t first = 0; first < met; first += kTileRows) {
    T s[kOwnRows];
    multiply_rows(tile, q, k.from(first), s);
    for (int r = 0; r < kOwnRows; ++r) {
      const int64_t i = block.first + own_row(r), j = first + lane();
      s[r] = i < p.queries && j < p.keys ? score(i, j, s[r]) : none;
      const T tile_top = max_lanes(s[r]), before = top[r];
      top[r] = before < tile_top ? tile_top : before;
      const T shift = top[r] == none ? T(0) : top[r], weight = exp(s[r] - shift), scale = exp(before - shift);
      sum[r] = sum[r] * scale + weight;
      for (int c = 0; c < kOwnColumns; ++c) out[r][c] *= scale;
      tile.weights[0][own_row(r)][lane()] = has_dropout(p) ? weight * dropout(i, j) : weight;
    }
    add_columns(tile, tile.weights[0], v.from(first), block.column, out);
  }
  T inverse[kOwnRows];
  for (int r = 0; r < kOwnRows; ++r) {
    sum[r] = sum_lanes(sum[r]);
    const bool empty = sum[r] == 0;
    inverse[r] = empty ? T(0) : 1 / sum[r];
    const int64_t i = block.first + own_row(r);
    if (lane() == 0 && block.column == 0 && i < p.queries)
      static_cast<T*>(args.lse)[block.head * p.queries + i] = empty ? std::numeric_limits<T>::infinity() : top[r] + log(sum[r]);
  }
  store_columns(rows_of<S>(args.out, p, block.head) + block.first * args.out.row, args.out.row, q.count, p.value_width, block.column, out, inverse);
}

template <class S, class T>
__global__ void __launch_bounds__(kThreads, 2) attention_backward_queries_kernel(AttentionBackwardArgs args, const T* delta) {
  const AttentionProblem& p = args.problem;
  const TileOfBlock block(p.queries, p.width);
  auto& tile = *gpu::dynamic_shared<AttentionTiles<T>>();
  const TileRows<S> q = tile_rows<S>(p.q, p, block.head, p.queries, p.width).from(block.first);
  const TileRows<S> gy = tile_rows<S>(args.gy, p, block.head, p.queries, p.value_width).from(block.first);
  const TileRows<S> k = tile_rows<S>(p.k, p, block.head, p.keys, p.width), v = tile_rows<S>(p.v, p, block.head, p.keys, p.value_width);
  Weights<S, T> weights(p, args.lse, delta, block.head);
  T gq[kOwnRows][kOwnColumns] = {}, one[kOwnRows];
  for (T& x : one) x = 1;

  const int64_t met = keys_of(p, block.first + kTileRows - 1);
  for (int64_t first = 0; first < met; first += kTileRows) {
    T qk[kOwnRows], dp[kOwnRows];
    multiply_rows(tile, q, k.from(first), qk);
    multiply_rows(tile, gy, v.from(first), dp);
    for (int r = 0; r < kOwnRows; ++r) tile.weights[0][own_row(r)][lane()] = weights(block.first + own_row(r), first + lane(), qk[r], dp[r]).slope;
    add_columns(tile, tile.weights[0], k.from(first), block.column, gq);
  }
  store_columns(rows_of<S>(args.gq, p, block.head) + block.first * args.gq.row, args.gq.row, q.count, p.width, block.column, gq, one);
}

template <class S, class T>
__global__ void __launch_bounds__(kThreads, 2) attention_backward_keys_kernel(AttentionBackwardArgs args, const T* delta) {
  const AttentionProblem& p = args.problem;
  const TileOfBlock block(p.keys, p.width < p.value_width ? p.value_width : p.width);
  auto& tile = *gpu::dynamic_shared<AttentionTiles<T>>();
  const TileRows<S> k = tile_rows<S>(p.k, p, block.head, p.keys, p.width).from(block.first);
  const TileRows<S> v = tile_rows<S>(p.v, p, block.head, p.keys, p.value_width).from(block.first);
  const TileRows<S> q = tile_rows<S>(p.q, p, block.head, p.queries, p.width), gy = tile_rows<S>(args.gy, p, block.head, p.queries, p.value_width);
  Weights<S, T> weights(p, args.lse, delta, block.head);
  T gk[kOwnRows][kOwnColumns] = {}, gv[kOwnRows][kOwnColumns] = {}, one[kOwnRows];
  for (T& x : one) x = 1;

  for (int64_t first = p.causal ? block.first : 0; first < p.queries; first += kTileRows) {
    T qk[kOwnRows], dp[kOwnRows];
    multiply_rows(tile, k, q.from(first), qk);
    multiply_rows(tile, v, gy.from(first), dp);
    for (int r = 0; r < kOwnRows; ++r) {
      const Weight<T> w = weights(first + lane(), block.first + own_row(r), qk[r], dp[r]);
      tile.weights[0][own_row(r)][lane()] = w.weight;
      tile.weights[1][own_row(r)][lane()] = w.slope;
    }
    add_columns(tile, tile.weights[0], gy.from(first), block.column, gv);
    add_columns(tile, tile.weights[1], q.from(first), block.column, gk);
  }
  store_columns(rows_of<S>(args.gk, p, block.head) + block.first * args.gk.row, args.gk.row, k.count, p.width, block.column, gk, one);
  store_columns(rows_of<S>(args.gv, p, block.head) + block.first * args.gv.row, args.gv.row, k.count, p.value_width, block.column, gv, one);
}

Status forward(const AttentionForwardArgs& a, Workspace& w) {
  const AttentionProblem& p = a.problem;
  return with_floating_type(p.dtype, [&]<class S>() {
    using T = Compute<S>;
    // lse is written with the first columns, even where v has none
    const gpu::Launch at = launch_tiles(head_count(p), p.queries, p.value_width ? p.value_width : 1, sizeof(AttentionTiles<T>), w);
    return at.grid.x ? status_of(gpu::launch<attention_forward_tiles_kernel<S, T>>(at, a)) : Status::ok;
  });
}

Status backward(const AttentionBackwardArgs& a, Workspace& w) {
  const AttentionProblem& p = a.problem;
  return with_floating_type(p.dtype, [&]<class S>() {
    using T = Compute<S>;
    const gpu::Launch queries = launch_tiles(head_count(p), p.queries, p.width, sizeof(AttentionTiles<T>), w);
    const gpu::Launch keys = launch_tiles(head_count(p), p.keys, p.width < p.value_width ? p.value_width : p.width, sizeof(AttentionTiles<T>), w);
    return launch_backward<S, T, attention_backward_queries_kernel<S, T>, attention_backward_keys_kernel<S, T>>(a, w, queries, keys);
  });
}

}  // namespace

TAPETUM_CANDIDATE(AttentionForwardArgs, attention_forward_cuda){.name = "tiles", .supports = supports, .error = forward_error, .run = forward};
TAPETUM_CANDIDATE(AttentionBackwardArgs, attention_backward_cuda){
    .name = "tiles", .supports = supports, .workspace = delta_bytes, .error = backward_error, .run = backward};

}  // namespace tapetum::kernels
