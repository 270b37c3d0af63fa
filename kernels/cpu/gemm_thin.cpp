// Products of a large matrix with few vectors, c[i, v] = bias + sum over l of w[i, l] x[v, l]: a linear layer's for one image, say. Each element
// of w is used a few times only, so memory bounds them: w is read once, in the order in which it lies, and never copied. The vectors are.
#include <algorithm>

#include "kernels/cpu/transpose.h"
#include "kernels/matmul.h"
#include "kernels/parallel.h"
#include "kernels/round.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kLanes = Vec<float>::lanes, kVectors = std::min<int64_t>(8, kLanes);  // at most so many vectors

// The larger factor is w.
bool b_is_large(const MatmulShape& z) { return z.m <= z.n; }

template <class S> struct Thin {
  int64_t lines, vectors, depth;
  const S *w, *x, *bias;
  S* c;
  int64_t w_line, w_step, x_vector, x_step, c_line, c_vector, bias_line, bias_vector;

  explicit Thin(const MatmulArgs& args) {
    const MatmulShape& z = args.shape;
    const bool b = b_is_large(z);
    lines = b ? z.n : z.m, vectors = b ? z.m : z.n, depth = z.k;
    w = static_cast<const S*>(b ? args.b : args.a), x = static_cast<const S*>(b ? args.a : args.b);
    w_line = b ? z.b.column : z.a.row, w_step = b ? z.b.row : z.a.column;
    x_vector = b ? z.a.row : z.b.column, x_step = b ? z.a.column : z.b.row;
    c = static_cast<S*>(args.c), c_line = b ? z.c.column : z.c.row, c_vector = b ? z.c.row : z.c.column;
    bias = static_cast<const S*>(args.bias), bias_line = b, bias_vector = !b;
  }
  float start(int64_t line, int64_t vector) const { return bias ? static_cast<float>(bias[line * bias_line + vector * bias_vector]) : 0; }
  S& result(int64_t line, int64_t vector) const { return c[line * c_line + vector * c_vector]; }
};

bool supports(const MatmulArgs& a) {
  const MatmulShape& z = a.shape;
  const Matrix& w = b_is_large(z) ? z.b : z.a;
  return z.dtype != DType::f64 && stores(z.dtype) && z.batch.count == 1 && std::min(z.m, z.n) <= kVectors && std::min({z.m, z.n, z.k}) > 0 &&
         (w.row == 1 || w.column == 1);
}
// Across its lines a small w is as well read in panels, from which a tile of sums never leaves its registers.
bool prefers(const MatmulArgs& a) {
  const MatmulShape& z = a.shape;
  const Thin<float> t(a);
  return t.w_step == 1 || (t.vectors > 2 && z.k * t.lines > int64_t{1} << 21);
}

// w's lines lie along the depth: dot products of as many lines and vectors as a register has lanes, each in a register of its own. They are
// transposed at the end, so that their sums stand in one. x is [V][depth].
template <class S, int V> void multiply_along(const Thin<S>& t, const float* x, int64_t first, int64_t end) {
  constexpr int64_t together = kLanes / V;
  for (int64_t i = first; i < end; i += together) {
    const S* line[together];
    for (int64_t r = 0; r < together; ++r) line[r] = t.w + std::min(i + r, end - 1) * t.w_line;
    Vec<float> sum[kLanes];
    for (auto& s : sum) s = Vec<float>(0);
    const auto step = [&](int64_t l, int64_t n) {
#pragma GCC unroll 16
      for (int64_t r = 0; r < together; ++r) {
        const auto w = Vec<float>::load(line[r] + l, n);
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sum[r * V + v] = sum[r * V + v] + w * Vec<float>::load(x + v * t.depth + l, n);
      }
    };
    int64_t l = 0;
    for (; l + kLanes <= t.depth; l += kLanes) step(l, kLanes);
    if (l < t.depth) step(l, t.depth - l);
    transpose(sum);
    for (int64_t half = kLanes / 2; half > 0; half /= 2)
      for (int64_t j = 0; j < half; ++j) sum[j] = sum[j] + sum[j + half];
    for (int64_t r = 0; r < std::min(together, end - i); ++r)
      for (int v = 0; v < std::min<int64_t>(V, t.vectors); ++v) t.result(i + r, v) = S(sum[0].raw[r * V + v] + t.start(i + r, v));
  }
}

constexpr int64_t kAhead = 16;  // steps of the depth that are asked for early: each lies in a page of its own, which the hardware does not foresee

// w's lines lie side by side: some steps of the depth at a time are added to the results of a block of lines, which stay in the cache. x is
// [depth][V].
template <class S, int V> void multiply_across(const Thin<S>& t, const float* x, int64_t first, int64_t end) {
  constexpr int64_t together = V <= 2 ? 8 : 16 / V;
  const int64_t count = end - first, line = round_up(count, kLanes) + kLanes;
  float* const c = static_cast<float*>(thread_scratch(static_cast<size_t>(V * line) * sizeof(float)));
  for (int64_t v = 0; v < V; ++v)
    for (int64_t i = 0; i < count; ++i) c[v * line + i] = v < t.vectors ? t.start(first + i, v) : 0;
  const auto add = [&]<int64_t steps>(int64_t l) {
    Vec<float> factor[steps][V];
#pragma GCC unroll 8
    for (int64_t s = 0; s < steps; ++s)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) factor[s][v] = Vec<float>(x[(l + s) * V + v]);
    for (int64_t i = 0; i < count; i += kLanes) {
      Vec<float> sum[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[v] = Vec<float>::load(c + v * line + i);
#pragma GCC unroll 8
      for (int64_t s = 0; s < steps; ++s) {
        const S* const from = t.w + (l + s) * t.w_step + first + i;
        const auto w = Vec<float>::load(from, count - i);
        if (V > 2) __builtin_prefetch(from + kAhead * t.w_step);
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sum[v] = sum[v] + factor[s][v] * w;
      }
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[v].store(c + v * line + i);
    }
  };
  int64_t l = 0;
  for (; l + together <= t.depth; l += together) add.template operator()<together>(l);
  for (; l < t.depth; ++l) add.template operator()<1>(l);
  for (int v = 0; v < std::min<int64_t>(V, t.vectors); ++v)
    for (int64_t i = 0; i < count; i += kLanes) Vec<float>::load(c + v * line + i).scatter(&t.result(first + i, v), t.c_line, count - i);
}

template <class S, int V> void run_thin(const Thin<S>& t, float* x) {
  const bool along = t.w_step == 1;
  for (int64_t v = 0; v < V; ++v)
    for (int64_t l = 0; l < t.depth; ++l)
      x[along ? v * t.depth + l : l * V + v] = v < t.vectors ? static_cast<float>(t.x[v * t.x_vector + l * t.x_step]) : 0;
  const int64_t share = round_up(t.lines / 16, kLanes), block = std::clamp<int64_t>(share, along ? 64 : 256, along ? 256 : 1024);
  parallel_ranges(t.lines, block, [&](int64_t first, int64_t end) {
    if (along)
      multiply_along<S, V>(t, x, first, end);
    else
      multiply_across<S, V>(t, x, first, end);
  });
}

int64_t padded(int64_t vectors) { return vectors <= 2 ? vectors : vectors <= 4 ? 4 : 8; }
size_t workspace(const MatmulArgs& a) { return static_cast<size_t>(padded(std::min(a.shape.m, a.shape.n)) * a.shape.k) * sizeof(float); }

Status run(const MatmulArgs& args, Workspace& workspace) {
  with_wide_type(args.shape.dtype, [&]<class S>() {
    const Thin<S> t(args);
    float* const x = static_cast<float*>(workspace.data);
    const int64_t v = padded(t.vectors);
    if (v == 1) return run_thin<S, 1>(t, x);
    if (v == 2) return run_thin<S, 2>(t, x);
    if (v == 4) return run_thin<S, 4>(t, x);
    if constexpr (kVectors == 8) run_thin<S, 8>(t, x);
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(MatmulArgs, matmul_thin){
    .name = "thin", .supports = supports, .prefers = prefers, .workspace = workspace, .error = matmul_error, .run = run};

}  // namespace tapetum::kernels
