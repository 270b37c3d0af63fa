// A matrix product as its inner loops (gemm.h) take it: how both factors lie in packed memory, in which tiles and passes they are multiplied.
#pragma once
#include <algorithm>

#include "kernels/cpu/vec.h"
#include "kernels/round.h"

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
template <class F> constexpr int64_t kDepthStep = kInPairs<F> ? 32 : 1;  // a depth is a multiple of, zeros beyond the true one: a row of an AMX tile

// Registers: 2 x rows sums, 2 of b, 1 of a: 15 of 16, with AVX-512 27 of 32. AMX: 2 x 2 tiles.
#if defined(TAPETUM_AMX)
constexpr int kTileRows = 32;
#else
constexpr int kTileRows = TAPETUM_VECTOR_BYTES == 64 ? 12 : 6;
#endif
template <class F> constexpr int64_t kTileColumns = 2 * Vec<Compute<F>>::lanes;
// Elements that keep lines, and matrices, of scratch apart: at powers of two they would fill few sets of the cache.
template <class F> constexpr int64_t kGap = 16 * kTogether<F>;
template <class F> constexpr int64_t kDepth = 384 * kTogether<F>;  // of one pass: a panel of b then fits a 48 KB L1 cache

// c [m, n] = start + a [m, depth] b [depth, n]. A step takes kTogether of the depth.
template <class F> struct Product {
  using T = Compute<F>;
  int64_t m = 0, n = 0, depth = 0;
  const F* a = nullptr;
  int64_t a_row = 0, a_step = 0;  // row i of step l begins at a[i * a_row + l * a_step]
  const F* b = nullptr;           // panels of kTileColumns columns, each [depth / kTogether][kTileColumns][kTogether], the last one padded
  int64_t b_panel = 0, b_step = 0;
  const T* start = nullptr;  // element (i, j) at start[i * start_row + j]; null: zeros
  int64_t start_row = 0;
  T* c = nullptr;
  int64_t c_row = 0;
  bool a_is_far = false;  // and its rows follow one another: they are fetched from memory a tile ahead
};

// The length of each pass over a depth: equal parts, whole vectors.
template <class F> int64_t pass_depth(int64_t depth) {
  const int64_t passes = ceil_div(depth, kDepth<F>);
  return passes > 1 ? round_up(ceil_div(depth, passes), std::max<int64_t>(16, kDepthStep<F>)) : depth;
}

template <class S> Vec<Compute<S>> load_part(const S* p, int64_t n) { return n > 0 ? Vec<Compute<S>>::load(p, n) : Vec<Compute<S>>(0); }

// Each in its own type. The last register overlaps the one before, where there is one: cheaper than a mask.
template <class To, class From> void copy_line(To* to, const From* from, int64_t n) {
  using V = Vec<Compute<From>>;
  if (n < V::lanes) return V::load(from, n).store(to, n);
  for (int64_t i = 0; i < n; i += V::lanes) {
    const int64_t at = std::min(i, n - V::lanes);
    V::load(from + at).store(to + at);
  }
}

}  // namespace
}  // namespace tapetum::kernels
