// Packed matrix product. A unit of work owns a block of c; pass by pass over the depth it copies its blocks of a and b into the thread's
// scratch, which fits the L2 cache, and multiplies them. Thin operands, which are used too few times to repay the copy, are read in place.
#include <algorithm>

#include "kernels/cpu/gemm.h"
#include "kernels/matmul.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

bool supports(const MatmulArgs& a) { return stores(a.shape.dtype); }
double error(const MatmulArgs& a) { return 4 + 2 * __builtin_sqrt(static_cast<double>(a.shape.k)); }

constexpr int64_t kRows = 144, kColumns = 192;  // of a block of c at most: a takes 150 KB, b 200 KB in f32

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

// Few rows want b along memory, few columns a across it; else c along memory.
template <class S> bool better_transposed(const Problem<S>& p) {
  if (p.m <= kTileRows && p.m < p.n) return p.sb.column != 1 && p.sb.row == 1;
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

// b [k, n] as panels [k][kTileColumns], the last one padded with zeros.
template <class S, class T> void pack_b(const S* b, const Matrix& s, int64_t k, int64_t n, T* to) {
  constexpr int64_t columns = kTileColumns<T>;
  for (int64_t j = 0; j < n; j += columns, to += k * columns) {
    const int64_t count = std::min(columns, n - j);
    if (s.column == 1) {
      copy_block(k, count, b + j, s.row, 1, to, columns);
    } else {
      for (int64_t i = 0; i < count; ++i)
        for (int64_t l = 0; l < k; ++l) to[l * columns + i] = cast<T>(b[l * s.row + (j + i) * s.column]);
    }
    for (int64_t l = 0; count < columns && l < k; ++l)
      for (int64_t i = count; i < columns; ++i) to[l * columns + i] = 0;
  }
}

// Columns [first, first + count) of x.
template <class T> Product<T> part(Product<T> x, int64_t first, int64_t count) {
  x.n = count;
  x.c += first;
  if (x.start) x.start += first;
  return x;
}

// x = a [m, depth] b [depth, n] with a packed into `to`, line by line along its memory, unless few columns use it.
template <class S, class T> void place_a(const S* a, const Matrix& s, Product<T>& x, T* to) {
  if constexpr (std::is_same_v<S, T>) {
    x.a = a, x.a_row = s.row, x.a_step = s.column;
    if (x.n <= 2 * kTileColumns<T> && (s.row == 1 || s.column == 1)) return;
  }
  constexpr int64_t gap = 16;  // a power of two would fill few sets of the cache
  const bool columns = s.row == 1;
  x.a = to, x.a_row = columns ? 1 : x.depth + gap, x.a_step = columns ? x.m + gap : 1;
  if (columns)
    copy_block(x.depth, x.m, a, s.column, s.row, to, x.m + gap);
  else
    copy_block(x.m, x.depth, a, s.row, s.column, to, x.depth + gap);
}

// b is packed into `to`, except for whole panels that few rows use and that lie along memory.
template <class S, class T> void multiply_by(const S* b, const Matrix& s, Product<T> x, T* to) {
  constexpr int64_t columns = kTileColumns<T>;
  int64_t in_place = 0;
  if constexpr (std::is_same_v<S, T>) {
    if (x.m <= kTileRows && s.column == 1) in_place = x.n / columns * columns;
    x.b = b, x.b_panel = columns, x.b_step = s.row;
    if (in_place) multiply(part(x, 0, in_place));
    if (in_place == x.n) return;
  }
  pack_b(b + in_place * s.column, s, x.depth, x.n - in_place, to);
  x.b = to, x.b_panel = x.depth * columns, x.b_step = columns;
  multiply(part(x, in_place, x.n - in_place));
}

// The block of c at (i, j).
template <class S> void run_block(const Problem<S>& p, int64_t i, int64_t j, int64_t m, int64_t n) {
  using T = Compute<S>;
  const int64_t pass = pass_depth(p.k), size_a = m * pass + 16 * std::max(m, pass), size_b = pass * round_up(n, kTileColumns<T>);
  T* const a = static_cast<T*>(thread_scratch(static_cast<size_t>(size_a + size_b + m * n) * sizeof(T)));
  T* const b = a + size_a;
  S* const c = p.c + i * p.sc.row + j * p.sc.column;
  bool in_place = false;
  Product<T> x{m, n, 0, nullptr, 0, 0, nullptr, 0, 0, nullptr, 0, b + size_b, n};
  if constexpr (std::is_same_v<S, T>) {
    in_place = p.sc.column == 1 && !(p.transposed && p.bias);
    if (in_place) x.c = c, x.c_row = p.sc.row;
    if (in_place && p.bias) x.start = p.bias + j;
  }
  if (p.bias && !in_place) {
    copy_block(m, n, p.bias + (p.transposed ? i : j), p.transposed, !p.transposed, x.c, n);
    x.start = x.c, x.start_row = n;
  }
  int64_t first = 0;
  do {
    x.depth = std::min(pass, p.k - first);
    place_a(p.a + i * p.sa.row + first * p.sa.column, p.sa, x, a);
    multiply_by(p.b + first * p.sb.row + j * p.sb.column, p.sb, x, b);
    x.start = x.c, x.start_row = x.c_row;
    first += pass;
  } while (first < p.k);
  if (!in_place) copy_block(m, n, x.c, n, 1, c, p.sc.row, p.sc.column);
}

Status matmul(const MatmulArgs& args, Workspace&) {
  const auto& z = args.shape;
  if (z.m == 0 || z.n == 0 || z.batch.count == 0) return Status::ok;
  with_stored_type(z.dtype, [&]<class S>() {
    Problem<S> one{
        z.m, z.n, z.k,  static_cast<const S*>(args.a), static_cast<const S*>(args.b), static_cast<const S*>(args.bias), static_cast<S*>(args.c), z.a,
        z.b, z.c, false};
    if (better_transposed(one)) one.transpose();
    const int64_t rows = ceil_div(one.m, kRows), columns = ceil_div(one.n, kColumns);
    const int64_t m = round_up(ceil_div(one.m, rows), kTileRows), n = round_up(ceil_div(one.n, columns), kTileColumns<Compute<S>>);
    parallel_for(z.batch.count * rows * columns, [&](int64_t unit) {
      Problem<S> p = one;
      const auto o = offsets_of(z.batch, unit / (rows * columns), z.batch.ndim);
      p.a += o.at[one.transposed], p.b += o.at[!one.transposed], p.c += o.at[2];
      const int64_t i = unit / columns % rows * m, j = unit % columns * n;
      if (i < p.m && j < p.n) run_block(p, i, j, std::min(m, p.m - i), std::min(n, p.n - j));
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(MatmulArgs, matmul_packed){.name = "packed", .supports = supports, .error = error, .run = matmul};

}  // namespace tapetum::kernels
