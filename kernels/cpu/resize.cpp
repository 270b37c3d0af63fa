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

size_t workspace(const ResampleArgs& a) { return static_cast<size_t>(Blocks(a.shape).count * a.shape.w * a.shape.c) * size_of(a.shape.dtype); }

struct Span {
  int32_t begin, end;
};
Span span(const Taps& t, int64_t i) { return {t.start[i], t.start[i + 1]}; }

template <class T> bool is_copy(const Taps& t, Span s) { return s.end - s.begin == 1 && static_cast<const T*>(t.weight)[s.begin] == T(1); }

// y[i] = sum over taps of weight * x[index * step + i], for i below n.
template <class T> void combine(const Taps& t, Span s, const T* x, int64_t step, int64_t n, T* y) {
  using V = Vec<T>;
  auto weight = static_cast<const T*>(t.weight);
  for (int64_t i = 0; i < n; i += V::lanes) {
    V sum(T(0));
    for (int32_t k = s.begin; k < s.end; ++k) sum = sum + V(weight[k]) * V::load(x + t.index[k] * step + i, n - i);
    sum.store(y + i, n - i);
  }
}

// Numbers of pixels read for one of y, on average.
bool by_windows(const ResampleArgs& a) {
  const auto& z = a.shape;
  if (z.c == 1) return false;
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

Status run(const ResampleArgs& a, Workspace& scratch) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    const int64_t width = z.w * z.c;
    const Blocks blocks(z);
    const bool windows = by_windows(a);
    parallel_for(blocks.count, [&](int64_t b) {
      T* combined = static_cast<T*>(scratch.data) + b * width;
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
