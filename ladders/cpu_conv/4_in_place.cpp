// No matrix of patches: neighbours in a row of x, with a frame of zeros around it, have them at a distance of c, three pieces of 3 c numbers each.
#include <algorithm>

#include "kernels/cpu/vec.h"
#include "ladders/cpu_conv/cpu_conv.h"

namespace tapetum::ladders {
namespace {

using V = kernels::Vec<float>;
constexpr int kLanes = V::lanes, kColumns = 2 * kLanes, kPixels = kLanes == 16 ? 8 : 4;

// At most kColumns channels of y for neighbouring pixels, whose patches begin at x.
template <int pixels> void multiply_tile(float* y, const float* x, const float* panel, int columns, int k, int c, int line) {
  V sums[pixels][2];
  for (auto& s : sums) s[0] = s[1] = V(0.0f);
  for (int r = 0; r < 3; ++r, x += line)
    for (int l = 0; l < 3 * c; ++l, panel += kColumns) {
      const V b0 = V::load(panel), b1 = V::load(panel + kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < pixels; ++i) {
        const V a(x[i * c + l]);
        sums[i][0] = sums[i][0] + a * b0;
        sums[i][1] = sums[i][1] + a * b1;
      }
    }
  const int first = std::min(columns, kLanes);
#pragma GCC unroll 16
  for (int i = 0; i < pixels; ++i) {
    sums[i][0].store(y + i * k, first);
    sums[i][1].store(y + i * k + first, columns - first);
  }
}

void convolve(float* y, const float* x, const float* filter, int h, int w, int c, int k) {
  const int line = (w + 2) * c;
  const Scratch framed = scratch((h + 2) * line), panel = scratch(9 * c * kColumns);
  std::fill_n(framed.get(), (h + 2) * line, 0.0f);
  std::fill_n(panel.get(), 9 * c * kColumns, 0.0f);
  for (int i = 0; i < h; ++i) std::copy_n(x + i * w * c, w * c, framed.get() + (i + 1) * line + c);
  for (int o = 0; o < k; o += kColumns) {
    const int columns = std::min(kColumns, k - o);
    for (int l = 0; l < 9 * c; ++l) std::copy_n(filter + l * k + o, columns, panel.get() + l * kColumns);
    for (int i = 0; i < h; ++i) {
      const float* from = framed.get() + i * line;
      float* to = y + i * w * k + o;
      int j = 0;
      for (; j + kPixels <= w; j += kPixels) multiply_tile<kPixels>(to + j * k, from + j * c, panel.get(), columns, k, c, line);
      for (; j < w; ++j) multiply_tile<1>(to + j * k, from + j * c, panel.get(), columns, k, c, line);
    }
  }
}

const CpuConv step(__FILE__, convolve);

}  // namespace
}  // namespace tapetum::ladders
