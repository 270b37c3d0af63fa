// y[0] is the sum of x[0] to x[n - 1].
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "ladders/ladder.h"

namespace tapetum::ladders {

struct Reduction : Step {
  // `parts` has room for a float for each 256 of x.
  Reduction(const char* file, cudaError_t (*launch)(float* y, float* parts, const float* x, int n))
      : Step(file, [launch](const Arrays& a) { return launch(a.y, a.scratch, a.x[0], a.sizes[0]) == cudaSuccess; }) {}
};

}  // namespace tapetum::ladders
