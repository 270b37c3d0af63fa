// Per class, over all lines of probabilities p (one line a pixel) whose label is not ignored: how much p and the labels overlap, and their sizes.
#pragma once
#include "kernels/fault.h"
#include "kernels/lines.h"
#include "kernels/slot.h"

namespace tapetum::kernels {

struct DiceSumsArgs {
  LineShape shape;
  bool squared;
  int64_t ignore_index;
  const void* p;
  const int64_t* target;
  void* sums;  // [3, classes]: sum of p at the label, sum of p^2 (of p unless squared), count of the label; f32 for 16-bit p too
  Fault* bad;  // gets the first label that is neither a class nor ignored, at its pixel
};

struct DiceSumsBackwardArgs {
  LineShape shape;
  bool squared;
  int64_t ignore_index;
  const void* p;
  const int64_t* target;
  const void* gsums;  // as sums
  void* gp;
};

extern const KernelSlot<DiceSumsArgs> dice_sums_forward;
extern const KernelSlot<DiceSumsBackwardArgs> dice_sums_backward;

}  // namespace tapetum::kernels
