// Cross-entropy of lines of logits (one per pixel, along the classes) against class indices, with softmax and its gradient fused in.
// For target t, weights w and smoothing e over C classes:  (1 - e) w_t (lse - x_t) + e/C sum_c w_c (lse - x_c),  lse = log sum exp x
#pragma once
#include "kernels/fault.h"
#include "kernels/lines.h"
#include "kernels/reduction.h"
#include "kernels/slot.h"

namespace tapetum::kernels {

struct CrossEntropyOptions {
  double label_smoothing;
  int64_t ignore_index;  // pixels with this target count for nothing
  Reduction reduction;   // mean: by the sum of w_t
};

struct CrossEntropyForwardArgs {
  LineShape shape;
  CrossEntropyOptions options;
  const void* x;
  const int64_t* target;
  const void* weight;  // [classes], or null: ones
  void* loss;          // one value per pixel, or one for all
  void* lse;           // per pixel, for the gradient; in the type computed in, f32 for 16-bit x too
  void* total_weight;  // one value: the sum of w_t, likewise
  Fault* bad;          // gets the first target that is neither a class nor ignored, at its pixel; such pixels are skipped
};

struct CrossEntropyBackwardArgs {
  LineShape shape;
  CrossEntropyOptions options;
  const void* x;
  const int64_t* target;
  const void* weight;
  const void *lse, *total_weight;  // from the forward pass
  const void* gy;                  // as loss
  void* gx;
};

extern const KernelSlot<CrossEntropyForwardArgs> cross_entropy_forward;
extern const KernelSlot<CrossEntropyBackwardArgs> cross_entropy_backward;

}  // namespace tapetum::kernels
