// Checks and reductions that the losses share. (Not for users.)
#pragma once
#include "core/autograd/autocast.h"
#include "core/faults.h"
#include "core/ops/loss.h"

namespace tapetum {

void check_reduction(const char* op, Reduction reduction);  // refuses batchmean
Tensor reduced(const char* op, const Tensor& loss, Reduction reduction);
void check_pair(const char* op, const Tensor& x, const Tensor& target);       // one floating-point dtype, one device, one shape
int class_dim(const Tensor& x);                                               // 1, or 0 where the input is [C]
Tensor per_class(const Tensor& weight, const Tensor& x);                      // [C] along the class dimension of x
void check_input(const char* op, const Tensor& x, const Tensor& weight);      // floating-point [N, C, ...] or [C]; weight [C] or undefined
Tensor class_indices(const char* op, const Tensor& x, const Tensor& target);  // as i64, of x's shape without the classes

// The two tensors that a loss compares, cast and checked; autocast is off while this lives.
struct LossPair {
  LossPair(const char* op, const Tensor& input, const Tensor& wanted) : x(cast(input)), target(cast(wanted)) { check_pair(op, x, target); }
  const Casting cast{Autocast::f32};
  const Tensor x, target;
};

// x if its pixels follow each other in memory as the target's do, with the classes side by side or apart; else a row-major copy.
Tensor dense_pixels(const Tensor& x);
FaultSource label_faults(const char* op, const Tensor& target, int64_t classes, int64_t ignore_index);  // numbered as a contiguous target is

// Class indices with what selects them: no gradients flow through these.
struct Labels {
  Tensor ignored, classes;  // bool; i64 with 0 where ignored
  Tensor column;            // classes with a class dimension of size 1
};
Labels labels_of(const Tensor& x, const Tensor& target, int64_t ignore_index);

}  // namespace tapetum
