// tiles: a unit of work is a block of queries of one head; tile by tile of keys it carries each row's maximum and sum along, and scales
// what it has summed when the maximum grows (online softmax: Milakov and Gimelshein 2018; with the products in tiles: Dao et al. 2022).
#include "kernels/cpu/attention_tiles.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

bool supports(const AttentionForwardArgs& a) { return serves(a.problem.dtype); }
double error(const AttentionForwardArgs& a) {
  return 16 + 4 * __builtin_sqrt(static_cast<double>(a.problem.width)) + 2 * __builtin_sqrt(static_cast<double>(a.problem.keys));
}

// Keys and values of every head, packed once: their own size, rounded up.
template <class T> struct Panels {
  T* data;
  int64_t keys, values;  // elements of a head

  Panels(const AttentionProblem& p, void* memory)
      : data(static_cast<T*>(memory)), keys(transposed_panels_size<T>(p.keys, p.width)), values(row_panels_size<T>(p.keys, p.value_width)) {}
  T* keys_of(int64_t head) const { return data + head * (keys + values); }
  T* values_of(int64_t head) const { return keys_of(head) + keys; }
};

size_t workspace(const AttentionForwardArgs& a) {
  const AttentionProblem& p = a.problem;
  return with_compute_type(p.dtype, [&]<class T>() {
    const Panels<T> panels(p, nullptr);
    return static_cast<size_t>(head_count(p) * (panels.keys + panels.values)) * sizeof(T);
  });
}

template <class T> struct RowState {
  T top = -std::numeric_limits<T>::infinity(), sum = 0;

  // exp(factor s - top) in place of n numbers s; returns what earlier sums are to be scaled by.
  T carry_on(T* s, int64_t n, T factor) {
    using V = Vec<T>;
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    constexpr int kChains = 4;  // side by side: one would wait for each comparison to end
    V most[kChains] = {V(lowest), V(lowest), V(lowest), V(lowest)}, total(T(0));
    int64_t i = 0;
    for (; i + kChains * V::lanes <= n; i += kChains * V::lanes)
      for (int c = 0; c < kChains; ++c) most[c] = max(most[c], V::load(s + i + c * V::lanes));
    for (; i < n; i += V::lanes) most[0] = max(most[0], V::load(s + i));
    const T before = top, here = max(max(most[0], most[1]), max(most[2], most[3])).max() * factor;
    top = here > top ? here : top;
    const V shift(top == lowest ? T(0) : top), scaled(factor);  // no key so far
    for (int64_t j = 0; j < n; j += V::lanes) {
      const V e = exp_nonpositive(min(V(T(0)), V::load(s + j) * scaled - shift));
      total = total + e;
      e.store(s + j);
    }
    const T scale = before == top ? T(1) : exp_nonpositive(V(before) - shift).raw[0];
    sum = sum * scale + total.sum();
    return scale;
  }
};

// out and lse of queries [begin, end).
template <class T> void attend(const AttentionForwardArgs& a, int64_t head, int64_t begin, int64_t end, const Panels<T>& panels) {
  const AttentionProblem& p = a.problem;
  const int64_t rows = end - begin, met = keys_of(p, end - 1), block = p.keys ? key_block(p.keys) : 1;
  const T* q = rows_of<T>(p.q, p, head) + begin * p.q.row;
  T* const out = rows_of<T>(a.out, p, head) + begin * a.out.row;
  T* const lse = static_cast<T*>(a.lse) + head * p.queries + begin;
  T* const s = static_cast<T*>(thread_scratch(static_cast<size_t>(kTileQueries * kTileLine) * sizeof(T)));
  const Scores<T, T> score(p, head);
  Dropout<T> dropout(p, head);
  RowState<T> state[kTileQueries];
  const bool plain = !p.causal && !p.mask.data && score.scale > 0;  // a score is the product times a factor

  fill_rows(out, a.out.row, rows, p.value_width);
  for (int64_t first = 0; first < met; first += block) {
    const int64_t n = smaller(block, met - first);
    products(q, p.q.row, panels.keys_of(head), first, p.width, rows, n, s);
    for (int64_t r = 0; r < rows; ++r) {
      T* line = s + r * kTileLine;
      if (plain)
        for (int64_t j = n; j < round_up(n, Vec<T>::lanes); ++j) line[j] = -std::numeric_limits<T>::infinity();
      else
        score_row(score, begin + r, first, n, line);
      const T scale = state[r].carry_on(line, n, plain ? score.scale : T(1));
      for (int64_t d = 0; scale != 1 && d < p.value_width; ++d) out[r * a.out.row + d] *= scale;
      for (int64_t j = 0; has_dropout(p) && j < n; ++j) line[j] *= dropout(begin + r, first + j);
    }
    add_sums<T>({s, kTileLine, 1}, panels.values_of(head), p.keys, first, p.value_width, rows, n, out, a.out.row);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const bool empty = state[r].sum == 0;
    const T scale = empty ? T(0) : 1 / state[r].sum;
    for (int64_t d = 0; d < p.value_width; ++d) out[r * a.out.row + d] *= scale;
    lse[r] = empty ? std::numeric_limits<T>::infinity() : state[r].top + log(Vec<T>(state[r].sum)).raw[0];
  }
}

Status forward(const AttentionForwardArgs& a, Workspace& scratch) {
  const AttentionProblem& p = a.problem;
  if (head_count(p) * p.queries == 0) return Status::ok;
  with_served_type(p.dtype, [&]<class T>() {
    const Panels<T> panels(p, scratch.data);
    parallel_for(head_count(p), [&](int64_t head) {
      pack_transposed(rows_of<T>(p.k, p, head), p.k.row, p.keys, p.width, panels.keys_of(head));
      pack_rows(rows_of<T>(p.v, p, head), p.v.row, p.keys, p.value_width, panels.values_of(head));
    });
    const int64_t rows = query_block(p.queries), blocks = ceil_div(p.queries, rows);
    parallel_for(head_count(p) * blocks, [&](int64_t unit) {
      const int64_t begin = unit % blocks * rows;
      attend(a, unit / blocks, begin, smaller(begin + rows, p.queries), panels);
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(AttentionForwardArgs, attention_forward_tiles){
    .name = "tiles", .supports = supports, .workspace = workspace, .error = error, .run = forward};

}  // namespace tapetum::kernels
