// Order along one dimension. NaN counts as the greatest value; equal values keep their order (PyTorch's stable = true).
#pragma once
#include "core/ops/indexed.h"

namespace tapetum {

struct SortOptions {
  bool descending = false;
};
struct TopkOptions {
  bool largest = true;
};

// Indices are places along the dimension.
Indexed sort(const Tensor& x, int dim = -1, const SortOptions& options = {});
Tensor argsort(const Tensor& x, int dim = -1, const SortOptions& options = {});

// The k greatest (or least) elements along dim, in that order. k above the dimension's size throws IndexError.
Indexed topk(const Tensor& x, int64_t k, int dim = -1, const TopkOptions& options = {});

}  // namespace tapetum
