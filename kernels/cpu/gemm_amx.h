// The inner loops of gemm.h for pairs of bf16 on AMX: 2 x 2 tiles of sums.
#pragma once
#include <algorithm>

#include "kernels/cpu/amx.h"
#include "kernels/cpu/product.h"

namespace tapetum::kernels {
namespace {

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
  constexpr int64_t step = kDepthStep<BFloat16>;
  const BFloat16 *a = x.a + i * x.a_row, *b = x.b + j / columns * x.b_panel;
  for (int64_t l = 0; l < x.depth; l += step, a += step, b += step * columns) {
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

}  // namespace
}  // namespace tapetum::kernels
