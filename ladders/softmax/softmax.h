// y [rows, length] is the softmax of each row of x: exp(x - max) / sum(exp(x - max)); both dense.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "ladders/ladder.h"

namespace tapetum::ladders {

struct Softmax : Step {
  Softmax(const char* file, cudaError_t (*launch)(float* y, const float* x, int rows, int length))
      : Step(file, [launch](const Arrays& a) { return launch(a.y, a.x[0], a.sizes[0], a.sizes[1]) == cudaSuccess; }) {}
};

}  // namespace tapetum::ladders
