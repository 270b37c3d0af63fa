// Sums of products written by their indices, as torch.einsum: "bij,bjk->bik".
#pragma once
#include "core/tensor.h"

namespace tapetum {

// A letter names a dimension; equal letters are equal in size, or 1, which broadcasts. A letter twice in one operand takes its diagonal. What the
// result leaves out is summed. "..." stands for the dimensions that have no letter; they broadcast. Without "->" the result has the letters that
// occur once, in alphabetical order (A-Z before a-z), behind the "...". Operands are contracted from left to right, by matrix products where two
// share a summed letter, so that these must be floating-point. Throws ShapeError for an equation that is not one, or does not fit.
Tensor einsum(const char* equation, TensorList operands);

}  // namespace tapetum
