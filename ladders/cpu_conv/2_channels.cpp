// The channels of a pixel are the inner loop, which goes along the filter and y: vectors, and the question once for all of them.
#include <algorithm>

#include "ladders/cpu_conv/cpu_conv.h"

namespace tapetum::ladders {
namespace {

void convolve(float* y, const float* x, const float* filter, int h, int w, int c, int k) {
  for (int i = 0; i < h; ++i)
    for (int j = 0; j < w; ++j, y += k) {
      std::fill(y, y + k, 0.0f);
      for (int r = std::max(0, 1 - i); r < std::min(3, h + 1 - i); ++r)
        for (int s = std::max(0, 1 - j); s < std::min(3, w + 1 - j); ++s)
          for (int q = 0; q < c; ++q) {
            const float factor = x[((i + r - 1) * w + j + s - 1) * c + q], *f = filter + ((r * 3 + s) * c + q) * k;
            for (int o = 0; o < k; ++o) y[o] += factor * f[o];
          }
    }
}

const CpuConv step(__FILE__, convolve);

}  // namespace
}  // namespace tapetum::ladders
