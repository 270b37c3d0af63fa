// tiles: a unit of work is a segment of the keys of one head. It computes each tile of scores once more, from which all three gradients take
// their shares: five products (Dao et al., "FlashAttention", 2022, algorithm 4). Segments have their own gq, added up in order at the end.
#include "kernels/cpu/attention_tiles.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

bool supports(const AttentionBackwardArgs& a) { return serves(a.problem.dtype); }
double error(const AttentionBackwardArgs& a) {
  const AttentionProblem& p = a.problem;
  return 32 + 4 * __builtin_sqrt(static_cast<double>(p.width + p.value_width)) + 4 * __builtin_sqrt(static_cast<double>(p.keys + p.queries));
}

// Of a head; few heads are cut into up to 8, or their threads would be idle.
int64_t segments_of(const AttentionProblem& p) {
  const int64_t most = ceil_div(p.keys, 2 * kTileKeys);
  return head_count(p) >= 8 || most <= 1 ? 1 : smaller(most, 8);
}

// What a head packs, in elements from its beginning, and behind all heads the gq of segments but the first.
template <class T> struct Packed {
  int64_t k_transposed, v_transposed, k, q, gy, delta, size, part;
  T* data;

  Packed(const AttentionProblem& p, void* memory) : data(static_cast<T*>(memory)) {
    k_transposed = 0;
    v_transposed = k_transposed + transposed_panels_size<T>(p.keys, p.width);
    k = v_transposed + transposed_panels_size<T>(p.keys, p.value_width);
    q = k + row_panels_size<T>(p.keys, p.width);
    gy = q + row_panels_size<T>(p.queries, p.width);
    delta = gy + row_panels_size<T>(p.queries, p.value_width);
    size = delta + round_up(p.queries, 16);
    part = p.queries * p.width;
  }
  int64_t total(const AttentionProblem& p) const { return head_count(p) * (size + (segments_of(p) - 1) * part); }
  T* at(int64_t head, int64_t what) const { return data + head * size + what; }
  T* part_of(const AttentionProblem& p, int64_t head, int64_t segment) const {
    return data + head_count(p) * size + (head * (segments_of(p) - 1) + segment - 1) * part;
  }
};

size_t workspace(const AttentionBackwardArgs& a) {
  return with_compute_type(a.problem.dtype,
                           [&]<class T>() { return static_cast<size_t>(Packed<T>(a.problem, nullptr).total(a.problem)) * sizeof(T); });
}

template <class T> void pack(const AttentionBackwardArgs& a, int64_t head, const Packed<T>& packed) {
  using V = Vec<T>;
  const AttentionProblem& p = a.problem;
  const T *q = rows_of<T>(p.q, p, head), *k = rows_of<T>(p.k, p, head), *v = rows_of<T>(p.v, p, head);
  const T *gy = rows_of<T>(a.gy, p, head), *out = rows_of<T>(a.out, p, head);
  pack_transposed(k, p.k.row, p.keys, p.width, packed.at(head, packed.k_transposed));
  pack_transposed(v, p.v.row, p.keys, p.value_width, packed.at(head, packed.v_transposed));
  pack_rows(k, p.k.row, p.keys, p.width, packed.at(head, packed.k));
  pack_rows(q, p.q.row, p.queries, p.width, packed.at(head, packed.q));
  pack_rows(gy, a.gy.row, p.queries, p.value_width, packed.at(head, packed.gy));
  for (int64_t i = 0; i < p.queries; ++i) {
    V delta(T(0));
    for (int64_t d = 0; d < p.value_width; d += V::lanes)
      delta = delta + V::load(gy + i * a.gy.row + d, p.value_width - d) * V::load(out + i * a.out.row + d, p.value_width - d);
    packed.at(head, packed.delta)[i] = delta.sum();
  }
}

// The three gradients of one segment of a head.
template <class T> struct Segment {
  const AttentionBackwardArgs& a;
  const AttentionProblem& p;
  const Packed<T>& packed;
  const int64_t head;
  T *gq, *const gk, *const gv;
  int64_t gq_row;
  T *const weights, *const slopes;  // f p and scale ds of a tile
  const Scores<T, T> score;
  Dropout<T> dropout;

  Segment(const AttentionBackwardArgs& args, const Packed<T>& from, int64_t of_head, int64_t segment)
      : a(args),
        p(args.problem),
        packed(from),
        head(of_head),
        gq(segment ? from.part_of(p, head, segment) : rows_of<T>(a.gq, p, head)),
        gk(rows_of<T>(a.gk, p, head)),
        gv(rows_of<T>(a.gv, p, head)),
        gq_row(segment ? p.width : a.gq.row),
        weights(static_cast<T*>(thread_scratch(static_cast<size_t>(2 * kTileQueries * kTileLine) * sizeof(T)))),
        slopes(weights + kTileQueries * kTileLine),
        score(p, head),
        dropout(p, head) {
    fill_rows(gq, gq_row, p.queries, p.width);
  }

  // Keys [first, first + n).
  void run_keys(int64_t first, int64_t n) {
    fill_rows(gk + first * a.gk.row, a.gk.row, n, p.width);
    fill_rows(gv + first * a.gv.row, a.gv.row, n, p.value_width);
    const int64_t rows = p.queries ? query_block(p.queries) : 1;
    for (int64_t begin = p.causal ? first / rows * rows : 0; begin < p.queries; begin += rows) {
      const int64_t count = smaller(rows, p.queries - begin);
      run_tile(begin, count, first, smaller(n, keys_of(p, begin + count - 1) - first));
    }
  }

  void run_tile(int64_t begin, int64_t rows, int64_t first, int64_t n) {
    if (n <= 0) return;
    const T *q = rows_of<T>(p.q, p, head) + begin * p.q.row, *gy = rows_of<T>(a.gy, p, head) + begin * a.gy.row;
    products(q, p.q.row, packed.at(head, packed.k_transposed), first, p.width, rows, n, weights);
    products(gy, a.gy.row, packed.at(head, packed.v_transposed), first, p.value_width, rows, n, slopes);
    for (int64_t r = 0; r < rows; ++r) run_row(begin + r, first, n, weights + r * kTileLine, slopes + r * kTileLine);
    add_sums<T>({weights, 1, kTileLine}, packed.at(head, packed.gy), p.queries, begin, p.value_width, n, rows, gv + first * a.gv.row, a.gv.row);
    add_sums<T>({slopes, 1, kTileLine}, packed.at(head, packed.q), p.queries, begin, p.width, n, rows, gk + first * a.gk.row, a.gk.row);
    add_sums<T>({slopes, kTileLine, 1}, packed.at(head, packed.k), p.keys, first, p.width, rows, n, gq + begin * gq_row, gq_row);
  }

  // From products to weights, from dp to slopes.
  void run_row(int64_t i, int64_t first, int64_t n, T* s, T* d) {
    using V = Vec<T>;
    score_row(score, i, first, n, s);
    const V lse(static_cast<const T*>(a.lse)[head * p.queries + i]), delta(packed.at(head, packed.delta)[i]), scale(score.scale);
    if (has_dropout(p)) return run_row_with_dropout(i, first, n, s, d, lse.raw[0], delta.raw[0]);
    for (int64_t j = 0; j < n; j += V::lanes) {
      const V weight = exp(V::load(s + j) - lse);
      weight.store(s + j);
      (scale * weight * (V::load(d + j) - delta)).store(d + j);
    }
  }
  void run_row_with_dropout(int64_t i, int64_t first, int64_t n, T* s, T* d, T lse, T delta) {
    using V = Vec<T>;
    for (int64_t j = 0; j < n; j += V::lanes) exp(V::load(s + j) - V(lse)).store(s + j);
    for (int64_t j = 0; j < n; ++j) {
      const T factor = dropout(i, first + j);
      d[j] = score.scale * s[j] * (factor * d[j] - delta);
      s[j] *= factor;
    }
  }
};

template <class T> void add_parts(const AttentionBackwardArgs& a, const Packed<T>& packed, int64_t head) {
  const AttentionProblem& p = a.problem;
  T* gq = rows_of<T>(a.gq, p, head);
  for (int64_t segment = 1; segment < segments_of(p); ++segment) {
    const T* part = packed.part_of(p, head, segment);
    for (int64_t i = 0; i < p.queries; ++i)
      for (int64_t d = 0; d < p.width; ++d) gq[i * a.gq.row + d] += part[i * p.width + d];
  }
}

Status backward(const AttentionBackwardArgs& a, Workspace& scratch) {
  const AttentionProblem& p = a.problem;
  with_served_type(p.dtype, [&]<class T>() {
    const Packed<T> packed(p, scratch.data);
    parallel_for(head_count(p), [&](int64_t head) { pack(a, head, packed); });
    const int64_t segments = segments_of(p), block = p.keys ? key_block(p.keys) : 1, blocks = ceil_div(p.keys, block);
    parallel_for(head_count(p) * segments, [&](int64_t unit) {
      const int64_t number = unit % segments;
      Segment<T> segment(a, packed, unit / segments, number);
      for (int64_t b = blocks * number / segments; b < blocks * (number + 1) / segments; ++b)
        segment.run_keys(b * block, smaller(block, p.keys - b * block));
    });
    parallel_for(head_count(p), [&](int64_t head) { add_parts(a, packed, head); });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(AttentionBackwardArgs, attention_backward_tiles){
    .name = "tiles", .supports = supports, .workspace = workspace, .error = error, .run = backward};

}  // namespace tapetum::kernels
