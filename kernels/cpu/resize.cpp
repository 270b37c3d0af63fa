// For each row of y the rows of x that it needs are combined first, in registers along w * c, then the columns of that one row.
// A row that is a copy of a row of x is not combined but read in place. Blocks of rows are spread over the threads.
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
    parallel_for(blocks.count, [&](int64_t b) {
      T* combined = static_cast<T*>(scratch.data) + b * width;
      for (int64_t i = blocks.begin(b); i < blocks.begin(b + 1); ++i) {
        const T *x = static_cast<const T*>(a.x) + i / z.p * z.h * width, *row = combined;
        const Span s = span(a.rows, i % z.p);
        if (is_copy<T>(a.rows, s))
          row = x + a.rows.index[s.begin] * width;
        else
          combine(a.rows, s, x, width, width, combined);
        combine_columns(a, row, static_cast<T*>(a.y) + i * z.q * z.c);
      }
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(ResampleArgs, resample2d_rows_then_columns){
    .name = "rows_then_columns", .supports = supports, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
