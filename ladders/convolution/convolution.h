// y [n, k, h, w] is the convolution of x [n, c, h, w] with filters f [k, c, 3, 3]: y[k][i][j] = sum of x[c][i + r - 1][j + s - 1] f[k][c][r][s] over
// c, r and s, with zeros around the image. All dense.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "ladders/ladder.h"

namespace tapetum::ladders {

struct ConvShape {
  int n, c, k, h, w;
};

struct Convolution : Step {
  // `scratch` has room for [n, 9 c, h, w], and for what Winograd's transforms need.
  Convolution(const char* file, cudaError_t (*launch)(float* y, float* scratch, const float* x, const float* f, const ConvShape& z))
      : Step(file, [launch](const Arrays& a) {
          const Sizes& s = a.sizes;
          return launch(a.y, a.scratch, a.x[0], a.x[1], {s[0], s[1], s[2], s[3], s[4]}) == cudaSuccess;
        }) {}
};

}  // namespace tapetum::ladders
