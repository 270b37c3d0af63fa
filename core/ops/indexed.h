// What ops that pick elements give: the elements, and where each of them stood.
#pragma once
#include "core/tensor.h"

namespace tapetum {

struct Indexed {
  Tensor values, indices;  // of the input's dtype, differentiable; i64
};

}  // namespace tapetum
