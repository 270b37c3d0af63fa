// The first k elements of each line in order: all of them for a sort.
#pragma once
#include "kernels/lines.h"
#include "kernels/slot.h"

namespace tapetum::kernels {

struct TopkArgs {
  LineShape shape;  // of x
  int64_t k;
  bool descending;   // NaN counts as the greatest value; equal values keep their order either way
  const void* x;     // dense
  void* values;      // [outer, k, inner]
  int64_t* indices;  // likewise: places along x's lines
};

extern const KernelSlot<TopkArgs> topk_forward;

}  // namespace tapetum::kernels
