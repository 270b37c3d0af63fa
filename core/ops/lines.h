// Tensors as the lines that kernels run along. (Between ops and kernels; not for users.)
#pragma once
#include "core/tensor.h"
#include "kernels/lines.h"

namespace tapetum {

Tensor dense_lines(const Tensor& x);                          // x if it fills its memory in any order of dimensions, else a row-major copy
Tensor with_strides_of(const Tensor& x, const Tensor& like);  // x, or a copy with like's strides
kernels::LineShape line_shape(const Tensor& dense, int dim);

}  // namespace tapetum
