// Where values would stand in what is sorted: i64, without gradients. Both sides have one dtype; NaN is above all numbers, as in sort.
#pragma once
#include "core/tensor.h"

namespace tapetum {

struct SearchOptions {
  bool right = false;  // y such that sorted[y - 1] <= value < sorted[y]; else sorted[y - 1] < value <= sorted[y]
  Tensor sorter = {};  // i64 of sorted's shape: places that sort it along its last dimension, where it is not sorted itself
};

// sorted [L] and values of any shape; or sorted [..., L] and values [..., V] with the same leading dimensions. The result has the values' shape.
Tensor searchsorted(const Tensor& sorted, const Tensor& values, const SearchOptions& options = {});
Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right = false);  // boundaries [L], sorted

}  // namespace tapetum
