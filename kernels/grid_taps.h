// Which pixels of one dimension a grid's coordinate reads, with what weights: y = sum over taps of weight * x[at], and slope is the weight's
// derivative by the coordinate. As PyTorch's grid_sample: a coordinate is mapped to pixels, brought inside by the padding, and read between its
// neighbours; bicubic (Keys, a = -0.75) brings each of its four taps inside. NaN counts as -1. (Plain arithmetic: device code may call it.)
#pragma once
#include "kernels/grid.h"

namespace tapetum::kernels {
namespace {

template <class T, int n> struct GridTaps {
  int32_t at[n];  // -1: outside of the image, where it is zero
  T weight[n], slope[n];
};

// Calls f.template operator()<n>() with the number of taps.
template <class F> auto with_taps(GridSampleMode mode, F f) {
  if (mode == GridSampleMode::nearest) return f.template operator()<1>();
  return mode == GridSampleMode::bilinear ? f.template operator()<2>() : f.template operator()<4>();
}

template <class T> constexpr T floor_of(T x) {
  if (!(x > T(-0x1p31) && x < T(0x1p31))) return x;  // whole, infinite or NaN
  const T whole = static_cast<T>(static_cast<int64_t>(x));
  return whole > x ? whole - 1 : whole;
}

// Halves to the even neighbour.
template <class T> constexpr T round_of(T x) {
  const T up = floor_of(x + T(0.5));
  return up - x == T(0.5) && up - 2 * floor_of(up / 2) != 0 ? up - 1 : up;
}

template <class T> struct Placed {
  T at, slope;  // slope: 1, -1 or 0
};

// A place, in pixels, as the padding has it.
template <class T> constexpr Placed<T> placed(T at, T size, GridSamplePadding padding, bool align_corners) {
  T slope = 1;
  if (padding == GridSamplePadding::zeros) return {at, slope};
  if (padding == GridSamplePadding::reflection) {  // at the border's centres, or its edges
    const T low = align_corners ? T(0) : T(-0.5), span = align_corners ? size - 1 : size;
    T d = at - low;
    if (d < 0) d = -d, slope = -1;
    const T flips = span > 0 ? floor_of(d / span) : T(0), rest = span > 0 ? d - flips * span : T(0);
    const bool even = flips - 2 * floor_of(flips / 2) == 0;
    at = low + (even ? rest : span - rest);
    if (!even) slope = -slope;
  }
  if (!(at > 0)) return {0, 0};  // NaN too
  return at < size - 1 ? Placed<T>{at, slope} : Placed<T>{size - 1, 0};
}

template <class T> constexpr int32_t inside(T at, T size) { return at >= 0 && at <= size - 1 ? static_cast<int32_t>(at) : -1; }

template <int n, class T> constexpr GridTaps<T, n> grid_taps(T g, int64_t pixels, GridSamplePadding padding, bool align_corners) {
  const T size = static_cast<T>(pixels), scale = g == g ? (align_corners ? size - 1 : size) / 2 : T(0);
  if (!(g == g)) g = -1;
  const T mapped = align_corners ? (g + 1) / 2 * (size - 1) : ((g + 1) * size - 1) / 2;
  GridTaps<T, n> taps{};
  if constexpr (n == 4) {
    constexpr T a = T(-0.75);
    const T first = floor_of(mapped), part = mapped - first, t = part == part ? part : T(0);  // of infinity 0
    for (int k = 0; k < 4; ++k) {
      const T x = k == 0 ? t + 1 : k == 1 ? t : k == 2 ? 1 - t : 2 - t;
      const bool near = k == 1 || k == 2;
      taps.at[k] = inside(placed(first + T(k - 1), size, padding, align_corners).at, size);
      taps.weight[k] = near ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a;
      const T derivative = near ? (3 * (a + 2) * x - 2 * (a + 3)) * x : ((3 * x - 10) * x + 8) * a;
      taps.slope[k] = (k < 2 ? scale : -scale) * derivative;
    }
  } else {
    const Placed<T> place = placed(mapped, size, padding, align_corners);
    if constexpr (n == 1) {
      taps.at[0] = inside(round_of(place.at), size);
      taps.weight[0] = 1;
    } else {
      const T first = floor_of(place.at), t = place.at - first;
      for (int k = 0; k < 2; ++k) {
        taps.at[k] = inside(first + T(k), size);
        taps.weight[k] = k ? t : 1 - t;
        taps.slope[k] = k ? place.slope * scale : -place.slope * scale;
      }
    }
  }
  return taps;
}

// Coordinates and weights are rounded in units of the image's size.
[[maybe_unused]] constexpr double grid_error(const GridSampleArgs& a) {
  return 32 + 8 * static_cast<double>(a.shape.h > a.shape.w ? a.shape.h : a.shape.w);
}

}  // namespace
}  // namespace tapetum::kernels
