// y [columns, rows] is x [rows, columns] transposed; both dense.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "ladders/ladder.h"

namespace tapetum::ladders {

struct Transpose : Step {
  Transpose(const char* file, cudaError_t (*launch)(float* y, const float* x, int rows, int columns))
      : Step(file, [launch](const Arrays& a) { return launch(a.y, a.x[0], a.sizes[0], a.sizes[1]) == cudaSuccess; }) {}
};

}  // namespace tapetum::ladders
