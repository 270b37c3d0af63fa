// The inner loops of every matrix product: a tile of c stays in registers while a column of a and a row of b pass by.
// Each element of c is one chain of additions in the order of the depth, so that blocking never changes a bit.
#pragma once
#include <utility>

#include "kernels/cpu/vec.h"

namespace tapetum::kernels {
namespace {

// Registers: 2 x rows sums, 2 of b, 1 of a: 15 of 16, with AVX-512 27 of 32.
constexpr int kTileRows = TAPETUM_VECTOR_BYTES == 64 ? 12 : 6;
template <class T> constexpr int64_t kTileColumns = 2 * Vec<T>::lanes;
constexpr int64_t kDepth = 256;  // of one pass: a panel of b then fits half of a 32 KB L1 cache

constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }
constexpr int64_t ceil_div(int64_t n, int64_t d) { return (n + d - 1) / d; }

// c [m, n] = start + a [m, depth] b [depth, n]
template <class T> struct Product {
  int64_t m, n, depth;
  const T* a;
  int64_t a_row, a_step;  // element (i, l) lies at a[i * a_row + l * a_step]
  const T* b;             // panels of kTileColumns columns, each [depth][kTileColumns], the last one padded
  int64_t b_panel, b_step;
  const T* start;  // element (i, j) at start[i * start_row + j]; null: zeros
  int64_t start_row;
  T* c;
  int64_t c_row;
};

template <class S> Vec<Compute<S>> load_part(const S* p, int64_t n) { return n > 0 ? Vec<Compute<S>>::load(p, n) : Vec<Compute<S>>(0); }

// Each in its own type.
template <class To, class From> void copy_line(To* to, const From* from, int64_t n) {
  using V = Vec<Compute<From>>;
  int64_t i = 0;
  for (; i + V::lanes <= n; i += V::lanes) V::load(from + i).store(to + i);
  if (i < n) V::load(from + i, n - i).store(to + i, n - i);
}

template <class T, int rows> void multiply_tile(const Product<T>& x, int64_t i, int64_t j) {
  using V = Vec<T>;
  constexpr int64_t lanes = V::lanes;
  const int64_t n = x.n - j, a_row = x.a_row, a_step = x.a_step, b_step = x.b_step;
  V sum[rows][2];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
    const T* start = x.start + (i + r) * x.start_row + j;
    sum[r][0] = x.start ? load_part(start, n) : V(T(0));
    sum[r][1] = x.start ? load_part(start + lanes, n - lanes) : V(T(0));
  }
  const T *a = x.a + i * a_row, *b = x.b + j / kTileColumns<T> * x.b_panel;
  for (int64_t l = 0; l < x.depth; ++l, a += a_step, b += b_step) {
    const V b0 = V::load(b), b1 = V::load(b + lanes);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const V v(a[r * a_row]);
      sum[r][0] = sum[r][0] + v * b0;
      sum[r][1] = sum[r][1] + v * b1;
    }
  }
  T* c = x.c + i * x.c_row + j;
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r, c += x.c_row) {
    if (n >= 2 * lanes) {
      sum[r][0].store(c);
      sum[r][1].store(c + lanes);
    } else {
      sum[r][0].store(c, n);
      if (n > lanes) sum[r][1].store(c + lanes, n - lanes);
    }
  }
}

template <class T, int... rows> void multiply_remainder(const Product<T>& x, int64_t i, int64_t j, std::integer_sequence<int, rows...>) {
  ((x.m - i == rows + 1 ? multiply_tile<T, rows + 1>(x, i, j) : void()), ...);
}

// A panel of b stays in L1 while the rows of a pass by; a is meant to fit L2.
template <class T> void multiply(const Product<T>& x) {
  for (int64_t j = 0; j < x.n; j += kTileColumns<T>) {
    int64_t i = 0;
    for (; i + kTileRows <= x.m; i += kTileRows) multiply_tile<T, kTileRows>(x, i, j);
    if (i < x.m) multiply_remainder(x, i, j, std::make_integer_sequence<int, kTileRows - 1>());
  }
}

// The length of each pass over a depth: equal parts, whole vectors.
inline int64_t pass_depth(int64_t depth) {
  const int64_t passes = ceil_div(depth, kDepth);
  return passes > 1 ? round_up(ceil_div(depth, passes), 16) : depth;
}

}  // namespace
}  // namespace tapetum::kernels
