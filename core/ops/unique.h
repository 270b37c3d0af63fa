// The different values of a tensor.
#pragma once
#include "core/tensor.h"

namespace tapetum {

struct UniqueOptions {
  bool return_inverse = false, return_counts = false;
};
struct Unique {
  Tensor values;   // [n], in ascending order; each NaN is a value of its own, as in PyTorch
  Tensor inverse;  // of x's shape, i64: values(inverse) is x; undefined unless asked for
  Tensor counts;   // [n] i64; undefined unless asked for
};

Unique unique(const Tensor& x, const UniqueOptions& options = {});  // waits for a device: n depends on values

}  // namespace tapetum
