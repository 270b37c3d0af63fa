// The definition, element by element, with a question for each product whether it lies in the image.
#include "ladders/cpu_conv/cpu_conv.h"

namespace tapetum::ladders {
namespace {

void convolve(float* y, const float* x, const float* filter, int h, int w, int c, int k) {
  for (int i = 0; i < h; ++i)
    for (int j = 0; j < w; ++j)
      for (int o = 0; o < k; ++o) {
        float sum = 0;
        for (int r = 0; r < 3; ++r)
          for (int s = 0; s < 3; ++s)
            for (int q = 0; q < c; ++q) {
              const int row = i + r - 1, column = j + s - 1;
              if (row >= 0 && row < h && column >= 0 && column < w) sum += x[(row * w + column) * c + q] * filter[((r * 3 + s) * c + q) * k + o];
            }
        y[(i * w + j) * k + o] = sum;
      }
}

const CpuConv step(__FILE__, convolve);

}  // namespace
}  // namespace tapetum::ladders
