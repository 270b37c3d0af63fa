// Winograd: 2 x 2 pixels from 4 x 4 products instead of 36, of transformed patches and filters: 16 matrix products of tiles by channels.
#include <algorithm>

#include "kernels/cpu/vec.h"
#include "kernels/winograd.h"
#include "ladders/cpu_conv/cpu_conv.h"

namespace tapetum::ladders {
namespace {

using V = kernels::Vec<float>;
constexpr int kLanes = V::lanes, kColumns = 2 * kLanes, kRows = kLanes == 16 ? 12 : 6;
constexpr int kSide = 2, kPatch = kSide + 2, kProducts = kPatch * kPatch;  // a tile of y is kSide x kSide
constexpr int kBlock = 24;                                                 // tiles at a time, so that what is transformed stays in L2
using Lines = kernels::Winograd<kSide>;

// f, the transform of a line, of columns and then of rows.
template <int from, int to, class F> void transform(const V (&in)[from][from], V (&out)[to][to], F f) {
  V half[to][from], column[from], got[to];
#pragma GCC unroll 8
  for (int s = 0; s < from; ++s) {
#pragma GCC unroll 8
    for (int r = 0; r < from; ++r) column[r] = in[r][s];
    f(column, got);
#pragma GCC unroll 8
    for (int r = 0; r < to; ++r) half[r][s] = got[r];
  }
#pragma GCC unroll 8
  for (int r = 0; r < to; ++r) f(half[r], out[r]);
}

// y, kRows lines of n, kColumns wide: a [kRows, c] times a panel of c steps.
void multiply_tile(float* y, const float* a, const float* panel, int n, int c) {
  V sums[kRows][2];
  for (auto& s : sums) s[0] = s[1] = V(0.0f);
  for (int l = 0; l < c; ++l, panel += kColumns)
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
      for (int half = 0; half < 2; ++half) sums[i][half] = sums[i][half] + V(a[i * c + l]) * V::load(panel + half * kLanes);
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
    for (int half = 0; half < 2; ++half) sums[i][half].store(y + i * n + half * kLanes);
}

void convolve(float* y, const float* x, const float* filter, int h, int w, int c, int k) {
  const int down = (h + kSide - 1) / kSide, across = (w + kSide - 1) / kSide, line = (across * kSide + 2) * c,
            n = (k + kColumns - 1) / kColumns * kColumns;
  const int u_size = c * n, v_size = kBlock * c, sums_size = kBlock * n;
  const int size = (down * kSide + 2) * line;
  const Scratch framed = scratch(size), u = scratch(kProducts * u_size), v = scratch(kProducts * v_size), sums = scratch(kProducts * sums_size);
  std::fill_n(framed.get(), size, 0.0f);
  for (int i = 0; i < h; ++i) std::copy_n(x + i * w * c, w * c, framed.get() + (i + 1) * line + c);
  V patch[kPatch][kPatch], taps[3][3], pixels[kSide][kSide];
  for (int q = 0; q < c; ++q)  // u [products, panels, c, kColumns]
    for (int o = 0; o < k; o += kLanes) {
      for (int e = 0; e < 9; ++e) taps[e / 3][e % 3] = V::load(filter + (e * c + q) * k + o, k - o);
      transform(taps, patch, [](const auto& from, auto& to) { Lines::filter(from, to); });
      for (int e = 0; e < kProducts; ++e)
        patch[e / kPatch][e % kPatch].store(u.get() + e * u_size + o / kColumns * c * kColumns + q * kColumns + o % kColumns);
    }
  for (int first = 0; first < down * across; first += kBlock) {
    const int count = std::min(kBlock, down * across - first);
    for (int t = 0; t < count; ++t)  // v [products, tiles, c]
      for (int q = 0; q < c; q += kLanes) {
        const float* from = framed.get() + (first + t) / across * kSide * line + (first + t) % across * kSide * c + q;
        V in[kPatch][kPatch];
#pragma GCC unroll 36
        for (int e = 0; e < kProducts; ++e) in[e / kPatch][e % kPatch] = V::load(from + e / kPatch * line + e % kPatch * c, c - q);
        transform(in, patch, [](const auto& from, auto& to) { Lines::input(from, to); });
#pragma GCC unroll 36
        for (int e = 0; e < kProducts; ++e) patch[e / kPatch][e % kPatch].store(v.get() + e * v_size + t * c + q, c - q);
      }
    for (int e = 0; e < kProducts; ++e)  // sums [products, tiles, n]
      for (int o = 0; o < n; o += kColumns)
        for (int t = 0; t < count; t += kRows)
          multiply_tile(sums.get() + e * sums_size + t * n + o, v.get() + e * v_size + t * c, u.get() + e * u_size + o * c, n, c);
    for (int t = 0; t < count; ++t)
      for (int o = 0; o < k; o += kLanes) {
#pragma GCC unroll 36
        for (int e = 0; e < kProducts; ++e) patch[e / kPatch][e % kPatch] = V::load(sums.get() + e * sums_size + t * n + o);
        transform(patch, pixels, [](const auto& from, auto& to) { Lines::output(from, to); });
        const int top = (first + t) / across * kSide, left = (first + t) % across * kSide;
        for (int r = 0; r < std::min(kSide, h - top); ++r)
          for (int s = 0; s < std::min(kSide, w - left); ++s) pixels[r][s].store(y + ((top + r) * w + left + s) * k + o, k - o);
      }
  }
}

const CpuConv step(__FILE__, convolve);

}  // namespace
}  // namespace tapetum::ladders
