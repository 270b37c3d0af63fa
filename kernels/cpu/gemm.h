// The inner loops of every matrix product: a tile of c stays in registers while a column of a and a row of b pass by.
// Each element of c is one chain of additions in the order of the depth, so that blocking never changes a bit.
#pragma once
#include <utility>

#include "kernels/cpu/vec.h"
#include "kernels/round.h"

#if defined(TAPETUM_AMX)
#include "kernels/cpu/amx.h"
#endif
#if defined(TAPETUM_PAIRS)
#include "kernels/cpu/pairs.h"
#endif

namespace tapetum::kernels {
namespace {

// How factors that are stored as S lie in packed memory. A unit that multiplies pairs of bf16 keeps them; else 16 bits become f32 there.
#if defined(TAPETUM_PAIRS)
template <class S> using Factor = std::conditional_t<std::is_same_v<S, BFloat16>, BFloat16, Compute<S>>;
#else
template <class S> using Factor = Compute<S>;
#endif
template <class F> constexpr bool kInPairs = sizeof(F) == 2;
template <class F> constexpr int64_t kTogether = kInPairs<F> ? 2 : 1;    // elements of the depth that are multiplied at once
template <class F> constexpr int64_t kDepthStep = kInPairs<F> ? 32 : 1;  // a depth is a multiple of, padded with zeros (kPairDepth)

// Registers: 2 x rows sums, 2 of b, 1 of a: 15 of 16, with AVX-512 27 of 32. AMX: 2 x 2 tiles.
#if defined(TAPETUM_AMX)
constexpr int kTileRows = 32;
#else
constexpr int kTileRows = TAPETUM_VECTOR_BYTES == 64 ? 12 : 6;
#endif
template <class F> constexpr int64_t kTileColumns = 2 * Vec<Compute<F>>::lanes;
template <class F> constexpr int64_t kDepth = 384 * kTogether<F>;  // of one pass: a panel of b then fits a 48 KB L1 cache

// c [m, n] = start + a [m, depth] b [depth, n]. A step takes kTogether of the depth.
template <class F> struct Product {
  using T = Compute<F>;
  int64_t m, n, depth;
  const F* a;
  int64_t a_row, a_step;  // row i of step l begins at a[i * a_row + l * a_step]
  const F* b;             // panels of kTileColumns columns, each [depth / kTogether][kTileColumns][kTogether], the last one padded
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

#if !defined(TAPETUM_AMX)

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

template <class F, int rows> void multiply_tile(const Product<F>& x, int64_t i, int64_t j) {
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
  const F *a = x.a + i * a_row, *b = x.b + j / kTileColumns<F> * x.b_panel;
  for (int64_t l = 0; l < x.depth; l += kTogether<F>, a += a_step, b += b_step) {
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
    for (; i + kTileRows <= x.m; i += kTileRows) multiply_tile<F, kTileRows>(x, i, j);
    if (i < x.m) multiply_remainder(x, i, j, std::make_integer_sequence<int, kTileRows - 1>());
  }
}

#else

// Rows [i, i + upper + lower) of a panel; a tile takes 16 rows, 16 steps (32 of the depth) or 16 columns. Steps of a lie side by side.
inline void multiply_tile(const Product<BFloat16>& x, int64_t i, int64_t j, int upper, int lower) {
  constexpr int64_t columns = kTileColumns<BFloat16>;
  alignas(64) float part[kTileRows][columns];  // where c ends within the panel
  const bool whole = x.n - j >= columns;
  const float* start = x.start + i * x.start_row + j;
  float* c = x.c + i * x.c_row + j;
  int64_t start_row = x.start_row, c_row = x.c_row;
  if (!whole && x.start) {
    for (int r = 0; r < upper + lower; ++r) copy_line(part[r], start + r * start_row, x.n - j);
    start = part[0], start_row = columns;
  }
  if (!whole) c = part[0], c_row = columns;
  if (x.start) {
    load_tile<0>(start, start_row * 4), load_tile<1>(start + 16, start_row * 4);
    if (lower) load_tile<2>(start + 16 * start_row, start_row * 4), load_tile<3>(start + 16 * start_row + 16, start_row * 4);
  } else {
    zero_tile<0>(), zero_tile<1>();
    if (lower) zero_tile<2>(), zero_tile<3>();
  }
  const BFloat16 *a = x.a + i * x.a_row, *b = x.b + j / columns * x.b_panel;
  for (int64_t l = 0; l < x.depth; l += kPairDepth, a += kPairDepth, b += kPairDepth * columns) {
    load_tile<6>(b, columns * 4), load_tile<7>(b + 32, columns * 4);
    load_tile<4>(a, x.a_row * 2);
    multiply_tiles<0, 4, 6>(), multiply_tiles<1, 4, 7>();
    if (!lower) continue;
    load_tile<5>(a + 16 * x.a_row, x.a_row * 2);
    multiply_tiles<2, 5, 6>(), multiply_tiles<3, 5, 7>();
  }
  store_tile<0>(c, c_row * 4), store_tile<1>(c + 16, c_row * 4);
  if (lower) store_tile<2>(c + 16 * c_row, c_row * 4), store_tile<3>(c + 16 * c_row + 16, c_row * 4);
  for (int r = 0; !whole && r < upper + lower; ++r) copy_line(x.c + (i + r) * x.c_row + j, part[r], x.n - j);
}

inline void multiply(const Product<BFloat16>& x) {
  const int64_t whole = x.m / kTileRows * kTileRows;
  if (whole) {
    const Tiles tiles(16, 16);
    for (int64_t j = 0; j < x.n; j += kTileColumns<BFloat16>)
      for (int64_t i = 0; i < whole; i += kTileRows) multiply_tile(x, i, j, 16, 16);
  }
  if (whole == x.m) return;
  const int upper = static_cast<int>(std::min<int64_t>(16, x.m - whole)), lower = static_cast<int>(x.m - whole) - upper;
  const Tiles tiles(upper, lower);
  for (int64_t j = 0; j < x.n; j += kTileColumns<BFloat16>) multiply_tile(x, whole, j, upper, lower);
}

#endif

// The length of each pass over a depth: equal parts, whole vectors.
template <class F> int64_t pass_depth(int64_t depth) {
  const int64_t passes = ceil_div(depth, kDepth<F>);
  return passes > 1 ? round_up(ceil_div(depth, passes), std::max<int64_t>(16, kDepthStep<F>)) : depth;
}

}  // namespace
}  // namespace tapetum::kernels
