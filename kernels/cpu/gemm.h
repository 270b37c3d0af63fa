// The inner loops of every matrix product: a tile of c stays in registers while a column of a and a row of b pass by.
// Each element of c is one chain of additions in the order of the depth, so that blocking never changes a bit.
#pragma once
#include <utility>

#include "kernels/cpu/product.h"

#if defined(TAPETUM_PAIRS)
#include "kernels/cpu/pairs.h"
#endif
#if defined(TAPETUM_AMX)
#include "kernels/cpu/gemm_amx.h"
#else

namespace tapetum::kernels {
namespace {

template <class T> Vec<T> load_factors(const T* p) { return Vec<T>::load(p); }
template <class T> Vec<T> spread_factor(const T* p) { return Vec<T>(*p); }
template <class T> Vec<T> multiply_add(Vec<T> sum, Vec<T> a, Vec<T> b) { return sum + a * b; }
#if defined(TAPETUM_PAIRS)
inline __m512bh load_factors(const BFloat16* p) { return __m512bh(_mm512_loadu_si512(p)); }
inline __m512bh spread_factor(const BFloat16* p) {
  int pair;
  std::memcpy(&pair, p, sizeof pair);
  return __m512bh(_mm512_set1_epi32(pair));
}
inline Vec<float> multiply_add(Vec<float> sum, __m512bh a, __m512bh b) { return Vec<float>::Raw(_mm512_dpbf16_ps(__m512(sum.raw), a, b)); }
#endif

template <class F, int rows, bool fetch = false> void multiply_tile(const Product<F>& x, int64_t i, int64_t j) {
  using T = Compute<F>;
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
  const F *a = x.a + i * a_row, *b = x.b + j / kTileColumns<F> * x.b_panel, *next = a + rows * a_row;
  for (int64_t l = 0; l < x.depth; l += kTogether<F>, a += a_step, b += b_step) {
    if constexpr (fetch) __builtin_prefetch(next, 0, 2), next += rows * kTogether<F>;  // all of them by the end of the depth
    const auto b0 = load_factors(b), b1 = load_factors(b + kTogether<F> * lanes);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const auto v = spread_factor(a + r * a_row);
      sum[r][0] = multiply_add(sum[r][0], v, b0);
      sum[r][1] = multiply_add(sum[r][1], v, b1);
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

template <class F, int... rows> void multiply_remainder(const Product<F>& x, int64_t i, int64_t j, std::integer_sequence<int, rows...>) {
  ((x.m - i == rows + 1 ? multiply_tile<F, rows + 1>(x, i, j) : void()), ...);
}

// A panel of b stays in L1 while the rows of a pass by; a is meant to fit L2.
template <class F> void multiply(const Product<F>& x) {
  for (int64_t j = 0; j < x.n; j += kTileColumns<F>) {
    int64_t i = 0;
    if (j == 0 && x.a_is_far)
      for (; i + kTileRows <= x.m; i += kTileRows) multiply_tile<F, kTileRows, true>(x, i, j);
    for (; i + kTileRows <= x.m; i += kTileRows) multiply_tile<F, kTileRows>(x, i, j);
    if (i < x.m) multiply_remainder(x, i, j, std::make_integer_sequence<int, kTileRows - 1>());
  }
}

}  // namespace
}  // namespace tapetum::kernels

#endif
