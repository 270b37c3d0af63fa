// Separable linear resampling of planes: y = A x B^T with sparse matrices A [P, H] and B [Q, W]. Resizing, average pooling and padding by
// reflection are cases of it, and the adjoint is the same primitive with A and B transposed.
#pragma once
#include "kernels/slot.h"

namespace tapetum::kernels {

// Row i of a sparse matrix: weight[k] in column index[k] for k from start[i] up to start[i + 1]. weight is of the type computed in: f64 or
// f32, which serves 16-bit tensors too.
struct Taps {
  const int32_t *start, *index;
  const void* weight;
};

struct ResampleShape {
  int64_t n, h, w, p, q, c;  // x [n, h, w, c], y [n, p, q, c], dense; c is 1 for row-major planes
  DType dtype;
};
static_assert(is_key<ResampleShape>);

struct ResampleArgs {
  ResampleShape shape;
  const void* x;
  void* y;
  Taps rows, columns;
};

extern const KernelSlot<ResampleArgs> resample2d;

}  // namespace tapetum::kernels
