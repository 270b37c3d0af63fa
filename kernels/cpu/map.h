// Drives an element-by-element function over strided operands of any dtypes: rows are cut into chunks, short rows are put together to one.
// A chunk that is not dense in the compute type is packed (and converted) into a small buffer, so that the function itself sees dense
// arrays only.
#pragma once
#include "kernels/cpu/constant.h"
#include "kernels/cpu/vec.h"
#include "kernels/elementwise.h"
#include "kernels/parallel.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kGrain = 16384;  // elements of one unit of work
constexpr int64_t kChunk = 512;    // elements that are packed at a time

// `rows` rows of n elements, one after the other.
template <class T> void load_chunk(T* to, const void* from, DType dtype, int64_t stride, int64_t n, int64_t rows = 1, int64_t to_next = 0) {
  with_type(dtype, [&]<class S>() {
    with_known(n, [=](auto length) {
      const S* p = static_cast<const S*>(from);
      T* out = to;
      for (int64_t r = 0; r < rows; ++r, p += to_next, out += length) {
        if (stride == 1)
          for (int64_t i = 0; i < length; ++i) out[i] = cast<T>(p[i]);
        else if (const T one = cast<T>(*p); stride == 0)
          for (int64_t i = 0; i < length; ++i) out[i] = one;
        else
          for (int64_t i = 0; i < length; ++i) out[i] = cast<T>(p[i * stride]);
      }
    });
  });
}

template <class T> void store_chunk(void* to, const T* from, DType dtype, int64_t stride, int64_t n, int64_t rows = 1, int64_t to_next = 0) {
  with_type(dtype, [&]<class S>() {
    S* p = static_cast<S*>(to);
    for (int64_t r = 0; r < rows; ++r, p += to_next, from += n)
      for (int64_t i = 0; i < n; ++i) p[i * stride] = cast<S>(from[i]);
  });
}

// One dense chunk: y[i] = f(x[0][i], ...).
template <class T> using Row = void (*)(T* y, const T* const* x, int64_t n, const double* scalar);

// The chunks of one unit of work.
template <class T, int N> struct Chunks {
  const ElementwiseArgs& a;
  const int64_t together;  // rows of one chunk; 1: a chunk is a part of a row
  int64_t stride[N + 1], to_next[N + 1];
  const char* packed[N + 1] = {};  // where the buffers' contents come from, of operands that repeat from chunk to chunk
  T buffer[N + 1][kChunk];

  Chunks(const ElementwiseArgs& args, int64_t rows_together) : a(args), together(rows_together) {
    const int64_t last = a.shape.ndim - 1;
    for (int j = 0; j <= N; ++j) {
      stride[j] = row_stride(a.shape, j);
      to_next[j] = last < 1 ? 0 : a.shape.stride[j][last - 1];
    }
  }
  int64_t bytes(int j) const { return static_cast<int64_t>(size_of(a.dtype[j])); }
  bool dense(int j, int64_t rows, int64_t n) const { return a.dtype[j] == dtype_of<T>() && stride[j] == 1 && (rows == 1 || to_next[j] == n); }

  // `rows` rows of n elements, beginning at the offsets; more than one only if they fit into a chunk.
  void run(const Offsets<1 + kMaxInputs>& o, int64_t rows, int64_t n, Row<T> row) {
    bool all_dense = true;
    for (int j = 0; j <= N; ++j) all_dense = all_dense && dense(j, rows, n);
    const int64_t step = all_dense ? n : kChunk;
    for (int64_t at = 0; at < n; at += step) chunk(o, at, rows, smaller(step, n - at), row);
  }

  void chunk(const Offsets<1 + kMaxInputs>& o, int64_t at, int64_t rows, int64_t n, Row<T> row) {
    const T* inputs[N];
    for (int j = 1; j <= N; ++j) {
      const char* p = static_cast<const char*>(a.x[j - 1]) + (o.at[j] + at * stride[j]) * bytes(j);
      inputs[j - 1] = dense(j, rows, n) ? reinterpret_cast<const T*>(p) : pack(j, p, rows, n);
    }
    char* out = static_cast<char*>(a.y) + (o.at[0] + at * stride[0]) * bytes(0);
    const bool direct = dense(0, rows, n);
    row(direct ? reinterpret_cast<T*>(out) : buffer[0], inputs, rows * n, a.scalar);
    if (!direct) store_chunk(out, buffer[0], a.dtype[0], stride[0], n, rows, to_next[0]);
  }

  // One that repeats is packed once, as far as any chunk may need it.
  const T* pack(int j, const char* p, int64_t rows, int64_t n) {
    const bool repeats = (together > 1 ? to_next[j] : stride[j]) == 0;
    if (repeats && packed[j] == p) return buffer[j];
    packed[j] = p;
    if (repeats && together > 1)
      rows = together;
    else if (repeats)
      n = kChunk;
    load_chunk(buffer[j], p, a.dtype[j], stride[j], n, rows, to_next[j]);
    return buffer[j];
  }
};

template <class T, int N> void map(const ElementwiseArgs& a, Row<T> row) {
  const auto& s = a.shape;
  if (s.count == 0) return;
  const int64_t last = s.ndim - 1, inner = row_length(s), rows = s.count / inner;
  const int64_t neighbours = last < 1 ? 1 : s.size[last - 1];  // rows at equal distances
  const int64_t together = neighbours > 1 && inner < kChunk ? kChunk / inner : 1;
  const int64_t pieces = (inner + kGrain - 1) / kGrain, rows_per_unit = inner >= kGrain ? 1 : kGrain / inner;
  parallel_for((rows + rows_per_unit - 1) / rows_per_unit * pieces, [&](int64_t unit) {
    Chunks<T, N> chunks(a, together);
    const int64_t begin = unit % pieces * kGrain, first = unit / pieces * rows_per_unit, end = smaller(first + rows_per_unit, rows);
    for (int64_t r = first, n; r < end; r += n) {
      n = smaller(smaller(together, end - r), neighbours - r % neighbours);
      auto o = offsets_of(s, r, last);
      for (int j = 0; j <= N && s.ndim; ++j) o.at[j] += begin * s.stride[j][last];
      chunks.run(o, n, smaller(kGrain, inner - begin), row);
    }
  });
}

}  // namespace
}  // namespace tapetum::kernels
