// A matrix product: all patches as rows of a matrix, nine copies of x, times the filter. For that the steps of cpu_gemm are at hand.
#include <algorithm>

#include "kernels/cpu/vec.h"
#include "ladders/cpu_conv/cpu_conv.h"

namespace tapetum::ladders {
namespace {

using V = kernels::Vec<float>;
constexpr int kLanes = V::lanes, kColumns = 2 * kLanes, kRows = kLanes == 16 ? 12 : 6;

// Elements of y, `rows` of n, at most kColumns wide: a [rows, k] times a panel of k steps.
template <int rows> void multiply_tile(float* y, const float* a, const float* panel, int columns, int n, int k) {
  V sums[rows][2];
  for (auto& s : sums) s[0] = s[1] = V(0.0f);
  for (int l = 0; l < k; ++l, panel += kColumns) {
    const V b0 = V::load(panel), b1 = V::load(panel + kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const V x(a[i * k + l]);
      sums[i][0] = sums[i][0] + x * b0;
      sums[i][1] = sums[i][1] + x * b1;
    }
  }
  const int first = std::min(columns, kLanes);
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
    sums[i][0].store(y + i * n, first);
    sums[i][1].store(y + i * n + first, columns - first);
  }
}

// y [m, n] = a [m, k] b [k, n]
void multiply(float* y, const float* a, const float* b, int m, int n, int k) {
  const Scratch panel = scratch(k * kColumns);
  std::fill_n(panel.get(), k * kColumns, 0.0f);  // beyond the last column too
  for (int j = 0; j < n; j += kColumns) {
    const int columns = std::min(kColumns, n - j);
    for (int l = 0; l < k; ++l) std::copy_n(b + l * n + j, columns, panel.get() + l * kColumns);
    int i = 0;
    for (; i + kRows <= m; i += kRows) multiply_tile<kRows>(y + i * n + j, a + i * k, panel.get(), columns, n, k);
    for (; i < m; ++i) multiply_tile<1>(y + i * n + j, a + i * k, panel.get(), columns, n, k);
  }
}

void convolve(float* y, const float* x, const float* filter, int h, int w, int c, int k) {
  const Scratch patches = scratch(h * w * 9 * c);
  for (int pixel = 0; pixel < h * w; ++pixel)
    for (int tap = 0; tap < 9; ++tap) {
      const int i = pixel / w + tap / 3 - 1, j = pixel % w + tap % 3 - 1;
      float* to = patches.get() + (pixel * 9 + tap) * c;
      if (i >= 0 && i < h && j >= 0 && j < w)
        std::copy_n(x + (i * w + j) * c, c, to);
      else
        std::fill_n(to, c, 0.0f);
    }
  multiply(y, patches.get(), filter, h * w, k, 9 * c);
}

const CpuConv step(__FILE__, convolve);

}  // namespace
}  // namespace tapetum::ladders
