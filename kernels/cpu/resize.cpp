// Two ways, whichever reads less. Rows, then columns: for each row of y the rows of x that it needs are combined first, in registers along
// w * c, then the columns of that one row; a row that is a copy of a row of x is not combined but read in place. Windows: each pixel of y is
// the weighted sum of the pixels of x that it needs, in registers along c, as where the windows of neighbours do not overlap (pooling).
// Blocks of rows are spread over the threads.
#include "kernels/resize.h"

#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

bool supports(const ResampleArgs& a) { return serves(a.shape.dtype); }
// Weights of one output sum to about 1 in size; an adjoint of an enlargement adds up as many terms as it enlarges.
double error(const ResampleArgs& a) {
  const auto& z = a.shape;
  return 16 + 2 * static_cast<double>(z.h) / static_cast<double>(z.p + 1) + 2 * static_cast<double>(z.w) / static_cast<double>(z.q + 1);
}

constexpr int64_t kBlocks = 32;
struct Blocks {
  int64_t count, rows;  // of y, all images
  explicit Blocks(const ResampleShape& z) : count(z.n * z.p < kBlocks ? z.n * z.p : kBlocks), rows(z.n * z.p) {}
  int64_t begin(int64_t b) const { return rows * b / count; }
};

// Where registers along c would be all but empty, columns are combined element by element, each of which has two taps of the row.
bool few_channels(const ResampleShape& z) { return z.c <= 4; }
template <class T> struct Pair {
  int32_t index[2];
  T weight[2];
};
template <class T> size_t bytes_of_pairs(const ResampleShape& z) { return few_channels(z) ? static_cast<size_t>(z.q * z.c) * sizeof(Pair<T>) : 0; }

size_t workspace(const ResampleArgs& a) {
  const auto& z = a.shape;
  const auto pairs = z.dtype == DType::f64 ? bytes_of_pairs<double>(z) : bytes_of_pairs<float>(z);
  return pairs + static_cast<size_t>(Blocks(z).count * z.w * z.c) * size_of(z.dtype);
}

struct Span {
  int32_t begin, end;
};
Span span(const Taps& t, int64_t i) { return {t.start[i], t.start[i + 1]}; }

template <class T> bool is_copy(const Taps& t, Span s) { return s.end - s.begin == 1 && static_cast<const T*>(t.weight)[s.begin] == T(1); }

// y[i] = f(i, how many of the register's elements count), for i below n.
template <class T, class F> void each_register(int64_t n, T* y, F f) {
  constexpr int64_t lanes = Vec<T>::lanes;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(i, lanes).store(y + i);
  if (i < n) f(i, n - i).store(y + i, n - i);
}

// y[i] = sum over taps of weight * x[index * step + i], for i below n.
template <class T> void combine(const Taps& t, Span s, const T* x, int64_t step, int64_t n, T* y) {
  using V = Vec<T>;
  auto weight = static_cast<const T*>(t.weight);
  if (s.end - s.begin == 2) {  // bilinear: all that the loop needs stays in registers
    const V u(weight[s.begin]), v(weight[s.begin + 1]);
    const T *const above = x + t.index[s.begin] * step, *const below = x + t.index[s.begin + 1] * step;
    return each_register(n, y, [=](int64_t i, int64_t lanes) { return u * V::load(above + i, lanes) + v * V::load(below + i, lanes); });
  }
  each_register(n, y, [=](int64_t i, int64_t lanes) {
    V sum(T(0));
    for (int32_t k = s.begin; k < s.end; ++k) sum = sum + V(weight[k]) * V::load(x + t.index[k] * step + i, lanes);
    return sum;
  });
}

// Numbers of pixels read for one of y, on average.
bool by_windows(const ResampleArgs& a) {
  const auto& z = a.shape;
  if (few_channels(z)) return false;
  const double rows = static_cast<double>(a.rows.start[z.p]) / static_cast<double>(z.p);
  const double columns = static_cast<double>(a.columns.start[z.q]) / static_cast<double>(z.q);
  return rows * columns <= rows * static_cast<double>(z.w) / static_cast<double>(z.q) + columns;
}

// y[i] = sum over rows k and columns l of their weights * x[(k * w + l) * c + i], for i below n, at most kStrip registers.
template <int kStrip, class T> void window(const ResampleArgs& a, Span rows, Span columns, const T* x, int64_t n, T* y) {
  using V = Vec<T>;
  auto row_weight = static_cast<const T*>(a.rows.weight), column_weight = static_cast<const T*>(a.columns.weight);
  V sum[kStrip];
  for (V& v : sum) v = V(T(0));
  for (int32_t k = rows.begin; k < rows.end; ++k) {
    const T* row = x + a.rows.index[k] * a.shape.w * a.shape.c;
    for (int32_t l = columns.begin; l < columns.end; ++l) {
      const V weight(row_weight[k] * column_weight[l]);
      const T* pixel = row + a.columns.index[l] * a.shape.c;
      for (int s = 0; s < kStrip; ++s) sum[s] = sum[s] + weight * V::load(pixel + s * V::lanes, n - s * V::lanes);
    }
  }
  for (int s = 0; s < kStrip; ++s) sum[s].store(y + s * V::lanes, n - s * V::lanes);
}

// Row p of one image's y.
template <class T> void window_row(const ResampleArgs& a, int64_t p, const T* x, T* y) {
  constexpr int64_t strip = 4 * Vec<T>::lanes;
  const Span rows = span(a.rows, p);
  for (int64_t q = 0; q < a.shape.q; ++q, y += a.shape.c) {
    const Span columns = span(a.columns, q);
    int64_t i = 0;
    for (; i + strip <= a.shape.c; i += strip) window<4>(a, rows, columns, x + i, strip, y + i);
    for (; i < a.shape.c; i += Vec<T>::lanes) window<1>(a, rows, columns, x + i, a.shape.c - i, y + i);
  }
}

// Whether each column has one or two taps, as for bilinear: then `pairs` has them for each element of a row, a single one as two halves.
template <class T> bool find_pairs(const ResampleArgs& a, Pair<T>* pairs) {
  const Taps& t = a.columns;
  auto weight = static_cast<const T*>(t.weight);
  const auto c = static_cast<int32_t>(a.shape.c);
  for (int64_t q = 0; q < a.shape.q; ++q) {
    const Span s = span(t, q);
    if (s.end - s.begin != 1 && s.end - s.begin != 2) return false;
    const int32_t i = s.begin, j = s.end - 1;
    const T share = i == j ? T(0.5) : T(1);
    for (int32_t k = 0; k < c; ++k) *pairs++ = {{t.index[i] * c + k, t.index[j] * c + k}, {weight[i] * share, weight[j] * share}};
  }
  return true;
}

template <class T> void combine_columns(const ResampleArgs& a, const T* row, T* y) {
  const auto& z = a.shape;
  auto weight = static_cast<const T*>(a.columns.weight);
  for (int64_t q = 0; q < z.q; ++q) {
    const Span s = span(a.columns, q);
    if (z.c > 1) {
      combine(a.columns, s, row, z.c, z.c, y + q * z.c);
      continue;
    }
    T sum = 0;
    for (int32_t k = s.begin; k < s.end; ++k) sum += weight[k] * row[a.columns.index[k]];
    y[q] = sum;
  }
}

template <class T> void combine_columns(const Pair<T>* pairs, int64_t n, const T* row, T* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = pairs[i].weight[0] * row[pairs[i].index[0]] + pairs[i].weight[1] * row[pairs[i].index[1]];
}

Status run(const ResampleArgs& a, Workspace& scratch) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    const int64_t width = z.w * z.c;
    const Blocks blocks(z);
    Pair<T>* const pairs = static_cast<Pair<T>*>(scratch.data);
    T* const lines = reinterpret_cast<T*>(static_cast<char*>(scratch.data) + bytes_of_pairs<T>(z));
    const bool windows = by_windows(a), paired = few_channels(z) && find_pairs(a, pairs);
    parallel_for(blocks.count, [&](int64_t b) {
      T* combined = lines + b * width;
      for (int64_t i = blocks.begin(b); i < blocks.begin(b + 1); ++i) {
        const T *x = static_cast<const T*>(a.x) + i / z.p * z.h * width, *row = combined;
        T* y = static_cast<T*>(a.y) + i * z.q * z.c;
        if (windows) {
          window_row(a, i % z.p, x, y);
          continue;
        }
        const Span s = span(a.rows, i % z.p);
        if (is_copy<T>(a.rows, s))
          row = x + a.rows.index[s.begin] * width;
        else
          combine(a.rows, s, x, width, width, combined);
        if (paired)
          combine_columns(pairs, z.q * z.c, row, y);
        else
          combine_columns(a, row, y);
      }
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(ResampleArgs, resample2d_rows_then_columns){
    .name = "rows_then_columns", .supports = supports, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
