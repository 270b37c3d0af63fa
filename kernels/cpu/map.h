// Drives an element-by-element function over strided operands of any dtypes: rows are cut into chunks, a chunk that is not dense
// in the compute type is packed (and converted) into a small buffer, so that the function itself sees dense arrays only.
#pragma once
#include "kernels/cpu/vec.h"
#include "kernels/elementwise.h"
#include "kernels/parallel.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kGrain = 16384;  // elements of one unit of work
constexpr int64_t kChunk = 512;    // elements that are packed at a time

// f(offsets, n): n elements of one row, beginning at the offsets.
template <int N, class F> void for_each_piece(const StridedShape<N>& s, F f) {
  if (s.count == 0) return;
  const int64_t last = s.ndim - 1, inner = s.ndim ? s.size[last] : 1;
  const int64_t rows = s.count / inner, pieces = (inner + kGrain - 1) / kGrain;
  const int64_t rows_per_unit = inner >= kGrain ? 1 : kGrain / inner;
  const int64_t row_units = (rows + rows_per_unit - 1) / rows_per_unit;
  parallel_for(row_units * pieces, [&](int64_t unit) {
    const int64_t begin = unit % pieces * kGrain, n = inner - begin < kGrain ? inner - begin : kGrain;
    const int64_t first = unit / pieces * rows_per_unit, end = first + rows_per_unit < rows ? first + rows_per_unit : rows;
    for (int64_t row = first; row < end; ++row) {
      auto o = offsets_of(s, row, last);
      for (int j = 0; j < N && s.ndim; ++j) o.at[j] += begin * s.stride[j][last];
      f(o, n);
    }
  });
}

template <class T> void load_chunk(T* to, const void* from, DType dtype, int64_t stride, int64_t n) {
  with_type(dtype, [&]<class S>() {
    const S* p = static_cast<const S*>(from);
    if (stride == 1)
      for (int64_t i = 0; i < n; ++i) to[i] = cast<T>(p[i]);
    else
      for (int64_t i = 0; i < n; ++i) to[i] = cast<T>(p[i * stride]);
  });
}

template <class T> void store_chunk(void* to, const T* from, DType dtype, int64_t stride, int64_t n) {
  with_type(dtype, [&]<class S>() {
    S* p = static_cast<S*>(to);
    for (int64_t i = 0; i < n; ++i) p[i * stride] = cast<S>(from[i]);
  });
}

// One dense chunk: y[i] = f(x[0][i], ...).
template <class T> using Row = void (*)(T* y, const T* const* x, int64_t n, const double* scalar);

// The operands of one piece, advanced chunk by chunk.
template <class T, int N> struct Piece {
  const ElementwiseArgs& a;
  int64_t stride[N + 1];
  char* y;
  const char* x[N];
  T buffer[N + 1][kChunk];

  Piece(const ElementwiseArgs& args, const Offsets<1 + kMaxInputs>& o) : a(args) {
    const int64_t last = a.shape.ndim - 1;
    for (int j = 0; j <= N; ++j) stride[j] = last < 0 ? 1 : a.shape.stride[j][last];
    y = static_cast<char*>(a.y) + o.at[0] * bytes(0);
    for (int j = 0; j < N; ++j) x[j] = static_cast<const char*>(a.x[j]) + o.at[j + 1] * bytes(j + 1);
  }
  int64_t bytes(int j) const { return static_cast<int64_t>(size_of(a.dtype[j])); }
  bool dense(int j) const { return a.dtype[j] == dtype_of<T>() && stride[j] == 1; }

  void run(int64_t n, Row<T> row) {
    for (int j = 0; j < N; ++j)
      if (stride[j + 1] == 0) load_chunk(buffer[j + 1], x[j], a.dtype[j + 1], 0, n < kChunk ? n : kChunk);
    bool all_dense = dense(0);
    for (int j = 0; j < N; ++j) all_dense = all_dense && dense(j + 1);
    const int64_t step = all_dense ? n : kChunk;
    for (int64_t at = 0; at < n; at += step) chunk(at, n - at < step ? n - at : step, row);
  }

  void chunk(int64_t at, int64_t n, Row<T> row) {
    const T* inputs[N];
    for (int j = 0; j < N; ++j) {
      const char* p = x[j] + at * stride[j + 1] * bytes(j + 1);
      inputs[j] = dense(j + 1) ? reinterpret_cast<const T*>(p) : buffer[j + 1];
      if (!dense(j + 1) && stride[j + 1] != 0) load_chunk(buffer[j + 1], p, a.dtype[j + 1], stride[j + 1], n);
    }
    char* out = y + at * stride[0] * bytes(0);
    row(dense(0) ? reinterpret_cast<T*>(out) : buffer[0], inputs, n, a.scalar);
    if (!dense(0)) store_chunk(out, buffer[0], a.dtype[0], stride[0], n);
  }
};

template <class T, int N> void map(const ElementwiseArgs& a, Row<T> row) {
  for_each_piece(a.shape, [&](const Offsets<1 + kMaxInputs>& o, int64_t n) { Piece<T, N>(a, o).run(n, row); });
}

}  // namespace
}  // namespace tapetum::kernels
