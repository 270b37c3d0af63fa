// Packed matrix product (Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008). A unit of work owns a block of c,
// which stays in its L2 cache; pass by pass over the depth it copies its rows of a into the thread's scratch and multiplies them by panels of
// b. Where several blocks of rows share b, its panels are packed once for all of them, else by each unit. Thin operands, which are used too
// few times to repay the copy, are read in place.
#include <algorithm>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/transpose.h"
#include "kernels/matmul.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

bool supports(const MatmulArgs& a) { return stores(a.shape.dtype); }

constexpr int64_t kRows = 192;        // of a block of c at most: a takes 200 KB in f32
constexpr int64_t kColumns = 1024;    // where b is packed already: c takes 800 KB
constexpr int64_t kOwnColumns = 192;  // where the unit packs b: 200 KB
constexpr int64_t kPacked = 1 << 22;  // elements of b that are packed at a time, at most

// One matrix of the batch. `transposed` computes c^T = b^T a^T, the same sums, where that reads or writes along memory.
template <class S> struct Problem {
  int64_t m, n, k;
  const S *a, *b, *bias;
  S* c;
  Matrix sa, sb, sc;
  bool transposed;

  void transpose() {
    std::swap(m, n);
    std::swap(a, b);
    std::swap(sa, sb);
    std::swap(sa.row, sa.column), std::swap(sb.row, sb.column), std::swap(sc.row, sc.column);
    transposed = !transposed;
  }
};

// Few rows want b along memory (a row-major a is read where it lies or copied line by line), few columns a across it; else c along memory.
template <class S> bool better_transposed(const Problem<S>& p) {
  if (p.m <= 2 * kTileColumns<Compute<S>> && p.m < p.n) return p.sb.column != 1 && p.sb.row == 1;
  if (p.n < kTileColumns<Compute<S>> && p.n < p.m) return p.sa.column != 1 && p.sa.row == 1;
  return p.sc.column != 1 && p.sc.row == 1;
}

// `lines` of `count` elements, each in its own type.
template <class To, class From>
void copy_block(int64_t lines, int64_t count, const From* from, int64_t from_line, int64_t from_step, To* to, int64_t to_line, int64_t to_step = 1) {
  for (int64_t i = 0; i < lines; ++i)
    if (from_step == 1 && to_step == 1)
      copy_line(to + i * to_line, from + i * from_line, count);
    else
      for (int64_t j = 0; j < count; ++j) to[i * to_line + j * to_step] = cast<To>(from[i * from_line + j * from_step]);
}

// b [k, n] as panels of Product, the last one padded with zeros.
template <class S, class F> void pack_b(const S* b, const Matrix& s, int64_t k, int64_t n, F* to) {
  constexpr int64_t columns = kTileColumns<F>;
#if defined(TAPETUM_PAIRS)
  return pack_pair_panels<columns>(b, s.column, s.row, n, k, to);
#else
  for (int64_t j = 0; j < n; j += columns, to += k * columns) {
    const int64_t count = std::min(columns, n - j);
    if (s.column == 1) {
      copy_block(k, count, b + j, s.row, 1, to, columns);
    } else if (s.row == 1) {
      copy_transposed(count, k, b + j * s.column, s.column, to, columns);
    } else {
      for (int64_t i = 0; i < count; ++i)
        for (int64_t l = 0; l < k; ++l) to[l * columns + i] = cast<F>(b[l * s.row + (j + i) * s.column]);
    }
    for (int64_t l = 0; count < columns && l < k; ++l)
      for (int64_t i = count; i < columns; ++i) to[l * columns + i] = 0;
  }
#endif
}

// Columns [first, first + count) of x.
template <class F> Product<F> part(Product<F> x, int64_t first, int64_t count) {
  x.n = count;
  x.c += first;
  if (x.start) x.start += first;
  return x;
}

// x = a [m, depth] b with a packed into `to`, line by line along its memory, unless few columns use it.
template <class S, class F> void place_a(const S* a, const Matrix& s, int64_t depth, Product<F>& x, F* to) {
#if defined(TAPETUM_PAIRS)
  x.a = to, x.a_row = x.depth + kGap<F>, x.a_step = 2;
  pack_pair_lines(a, s.row, s.column, x.m, depth, to, x.a_row);
#else
  if constexpr (std::is_same_v<S, F>) {
    x.a = a, x.a_row = s.row, x.a_step = s.column;
    if (x.n <= 2 * kTileColumns<F> && s.column == 1) return;
  }
  const bool columns = s.row == 1;
  x.a = to, x.a_row = columns ? 1 : depth + kGap<F>, x.a_step = columns ? x.m + kGap<F> : 1;
  if (columns)
    copy_block(depth, x.m, a, s.column, s.row, to, x.m + kGap<F>);
  else
    copy_block(x.m, depth, a, s.row, s.column, to, depth + kGap<F>);
#endif
}

// b [depth, n] is packed into `to`, except for whole panels that few rows use and that lie along memory.
template <class S, class F> void multiply_by(const S* b, const Matrix& s, int64_t depth, Product<F> x, F* to) {
  constexpr int64_t columns = kTileColumns<F>;
  int64_t in_place = 0;
  if constexpr (std::is_same_v<S, F> && !kInPairs<F>) {
    if (x.m <= kTileRows && s.column == 1) in_place = x.n / columns * columns;
    x.b = b, x.b_panel = columns, x.b_step = s.row;
    if (in_place) multiply(part(x, 0, in_place));
    if (in_place == x.n) return;
  }
  pack_b(b + in_place * s.column, s, depth, x.n - in_place, to);
  x.b = to, x.b_panel = x.depth * columns, x.b_step = kTogether<F> * columns;
  multiply(part(x, in_place, x.n - in_place));
}

// Panels of b for all units: [pass][panel][depth of the pass][kTileColumns], each depth rounded up to kDepthStep.
template <class F> struct PackedB {
  const F* data = nullptr;
  int64_t columns = 0;  // of all panels
  int64_t from = 0;     // the column of c that the first panel belongs to
};

// The block of c at (i, j); without packed panels it packs its own.
template <class S> void run_block(const Problem<S>& p, int64_t i, int64_t j, int64_t m, int64_t n, const PackedB<Factor<S>>& packed = {}) {
  using T = Compute<S>;
  using F = Factor<S>;
  constexpr int64_t columns = kTileColumns<F>;
  const int64_t pass = pass_depth<F>(p.k), depth = round_up(pass, kDepthStep<F>);
  const int64_t size_a = m * depth + kGap<F> * std::max(m, depth), size_b = packed.data ? 0 : depth * round_up(n, columns);
  const int64_t line = n + kGap<T>;  // of the block of c
  F* const a = static_cast<F*>(thread_scratch(static_cast<size_t>(size_a + size_b) * sizeof(F) + static_cast<size_t>(m * line) * sizeof(T)));
  F* const b = a + size_a;
  S* const c = p.c + i * p.sc.row + j * p.sc.column;
  bool in_place = false;
  Product<F> x{m, n, 0, nullptr, 0, 0, nullptr, 0, 0, nullptr, 0, reinterpret_cast<T*>(b + size_b), line};
  if constexpr (std::is_same_v<S, T>) {
    in_place = p.sc.column == 1 && !(p.transposed && p.bias) && (p.k <= pass || m <= kTileRows);
    if (in_place) x.c = c, x.c_row = p.sc.row;
    if (in_place && p.bias) x.start = p.bias + j;
  }
  if (p.bias && !in_place) {
    copy_block(m, n, p.bias + (p.transposed ? i : j), p.transposed, !p.transposed, x.c, line);
    x.start = x.c, x.start_row = line;
  }
  int64_t first = 0;
  do {
    const int64_t passed = std::min(pass, p.k - first);
    x.depth = round_up(passed, kDepthStep<F>);
    place_a(p.a + i * p.sa.row + first * p.sa.column, p.sa, passed, x, a);
    if (packed.data) {
      x.b = packed.data + first * packed.columns + (j - packed.from) * x.depth, x.b_panel = x.depth * columns, x.b_step = kTogether<F> * columns;
      multiply(x);
    } else {
      multiply_by(p.b + first * p.sb.row + j * p.sb.column, p.sb, passed, x, b);
    }
    x.start = x.c, x.start_row = x.c_row;
    first += pass;
  } while (first < p.k);
  if (!in_place) copy_block(m, n, x.c, line, 1, c, p.sc.row, p.sc.column);
}

template <class S> Problem<S> problem_of(const MatmulArgs& args) {
  const auto& z = args.shape;
  Problem<S> p{
      z.m, z.n, z.k,  static_cast<const S*>(args.a), static_cast<const S*>(args.b), static_cast<const S*>(args.bias), static_cast<S*>(args.c), z.a,
      z.b, z.c, false};
  if (better_transposed(p)) p.transpose();
  return p;
}

// How c is cut into blocks, how many columns of b are packed at a time for all units, and into how many parts a long depth of few blocks.
template <class S> struct Cut {
  using F = Factor<S>;
  int64_t m, n, chunk;  // chunk 0: each unit packs its own
  int64_t parts = 1;
  Cut(int64_t batch, int64_t all_m, int64_t all_n, int64_t k) {
    constexpr int64_t columns = kTileColumns<F>, kUnits = 16;
    const int64_t rows = ceil_div(all_m, kRows);
    m = round_up(ceil_div(all_m, rows), kTileRows);
    const bool shared = batch == 1 && rows > 1;
    chunk = shared ? std::min(round_up(all_n, kColumns), std::max(kColumns, kPacked / (k + 1) / kColumns * kColumns)) : 0;
    const int64_t width = shared ? std::min(chunk, all_n) : all_n;  // that units share
    const int64_t wanted = std::min(ceil_div(kUnits, batch * rows), ceil_div(width, 4 * columns));
    const int64_t pieces = std::max(ceil_div(width, shared ? kColumns : kOwnColumns), wanted);
    n = round_up(ceil_div(width, pieces), columns);
    const int64_t blocks = batch * rows * pieces, least = 4 * kDepth<F>;  // deep, or adding up the parts would cost more than it saves
    if (std::is_same_v<S, Compute<S>> && batch == 1 && blocks < kUnits / 2) parts = std::clamp<int64_t>(k / least, 1, kUnits / blocks);
    if (parts > 1) chunk = 0;
  }
};

template <class S> void run_shared(const Problem<S>& p, const Cut<S>& cut, Factor<S>* packed) {
  using F = Factor<S>;
  constexpr int64_t columns = kTileColumns<F>;
  const int64_t pass = pass_depth<F>(p.k);
  for (int64_t from = 0; from < p.n; from += cut.chunk) {
    const int64_t width = std::min(cut.chunk, p.n - from), panels = ceil_div(width, columns), pieces = ceil_div(width, cut.n);
    parallel_for(panels * std::max<int64_t>(1, ceil_div(p.k, pass)), [&](int64_t unit) {
      const int64_t first = unit / panels * pass, j = unit % panels * columns, depth = std::min(pass, p.k - first);
      pack_b(p.b + first * p.sb.row + (from + j) * p.sb.column, p.sb, depth, std::min(columns, width - j),
             packed + first * panels * columns + j * round_up(depth, kDepthStep<F>));
    });
    parallel_for(ceil_div(p.m, cut.m) * pieces, [&](int64_t unit) {
      const int64_t i = unit / pieces * cut.m, j = unit % pieces * cut.n;
      run_block(p, i, from + j, std::min(cut.m, p.m - i), std::min(cut.n, width - j), {packed, panels * columns, from});
    });
  }
}

template <class S> void run_apart(const MatmulArgs& args, const Problem<S>& one, const Cut<S>& cut) {
  const auto& batch = args.shape.batch;
  const int64_t rows = ceil_div(one.m, cut.m), columns = ceil_div(one.n, cut.n);
  parallel_for(batch.count * rows * columns, [&](int64_t unit) {
    Problem<S> p = one;
    const auto o = offsets_of(batch, unit / (rows * columns), batch.ndim);
    p.a += o.at[one.transposed], p.b += o.at[!one.transposed], p.c += o.at[2];
    const int64_t i = unit / columns % rows * cut.m, j = unit % columns * cut.n;
    run_block(p, i, j, std::min(cut.m, p.m - i), std::min(cut.n, p.n - j));
  });
}

// The parts' products, [part][m][n], and their sum, in order.
template <class S> void run_in_parts(const Problem<S>& p, const Cut<S>& cut, S* sums) {
  using V = Vec<S>;
  const int64_t rows = ceil_div(p.m, cut.m), columns = ceil_div(p.n, cut.n), part = round_up(ceil_div(p.k, cut.parts), kDepth<S>);
  parallel_for(cut.parts * rows * columns, [&](int64_t unit) {
    Problem<S> q = p;
    const int64_t index = unit / (rows * columns), first = std::min(p.k, index * part);
    q.a += first * p.sa.column, q.b += first * p.sb.row, q.k = std::min(part, p.k - first), q.bias = nullptr;
    q.c = sums + index * p.m * p.n, q.sc = {p.n, 1};
    const int64_t i = unit / columns % rows * cut.m, j = unit % columns * cut.n;
    run_block(q, i, j, std::min(cut.m, p.m - i), std::min(cut.n, p.n - j));
  });
  parallel_for(p.m, [&](int64_t i) {
    for (int64_t j = 0; j < p.n; j += V::lanes) {
      const int64_t n = p.n - j;
      V sum = !p.bias ? V(S(0)) : p.transposed ? V(p.bias[i]) : V::load(p.bias + j, n);
      for (int64_t index = 0; index < cut.parts; ++index) sum = sum + V::load(sums + (index * p.m + i) * p.n + j, n);
      sum.scatter(p.c + i * p.sc.row + j * p.sc.column, p.sc.column, n);
    }
  });
}

// f(the problem, its cut), unless c has no elements.
template <class F> void with_plan(const MatmulArgs& args, F f) {
  const auto& z = args.shape;
  if (z.m == 0 || z.n == 0 || z.batch.count == 0) return;
  with_stored_type(z.dtype, [&]<class S>() {
    const Problem<S> p = problem_of<S>(args);
    f(p, Cut<S>(z.batch.count, p.m, p.n, p.k));
  });
}

size_t workspace(const MatmulArgs& args) {
  size_t bytes = 0;
  with_plan(args, [&]<class S>(const Problem<S>& p, const Cut<S>& cut) {
    using F = Factor<S>;
    bytes = cut.parts > 1 ? static_cast<size_t>(cut.parts * p.m * p.n) * sizeof(S)
                          : static_cast<size_t>(round_up(p.k, kDepthStep<F>) * std::min(cut.chunk, round_up(p.n, kTileColumns<F>))) * sizeof(F);
  });
  return bytes;
}

Status matmul(const MatmulArgs& args, Workspace& workspace) {
  with_plan(args, [&]<class S>(const Problem<S>& p, const Cut<S>& cut) {
    if constexpr (std::is_same_v<S, Compute<S>>)
      if (cut.parts > 1) return run_in_parts(p, cut, static_cast<S*>(workspace.data));
    if (workspace.data)
      run_shared(p, cut, static_cast<Factor<S>*>(workspace.data));
    else
      run_apart(args, p, cut);
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(MatmulArgs, matmul_packed){
    .name = "packed", .supports = supports, .workspace = workspace, .error = matmul_error, .run = matmul};

}  // namespace tapetum::kernels
