// c [m, n] = a [m, k] b [k, n]; all dense, row by row.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "ladders/ladder.h"

namespace tapetum::ladders {

struct Gemm : Step {
  Gemm(const char* file, cudaError_t (*launch)(float* c, const float* a, const float* b, int m, int n, int k))
      : Step(file, [launch](const Arrays& x) { return launch(x.y, x.x[0], x.x[1], x.sizes[0], x.sizes[1], x.sizes[2]) == cudaSuccess; }) {}
};

}  // namespace tapetum::ladders
