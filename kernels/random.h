// Fills a dense tensor from one call of the Philox stream: element i takes block i / 4 of the call, lane i % 4.
#pragma once
#include "kernels/random_call.h"
#include "kernels/slot.h"

namespace tapetum::kernels {

struct RandomArgs {
  int64_t count;
  DType dtype;  // floating
  RandomCall call;
  double a, b;  // uniform: low, high; normal: mean, deviation; bernoulli: probability
  void* y;
};

using RandomSlot = KernelSlot<RandomArgs>;
extern const RandomSlot random_uniform;    // low + (high - low) u, u of 24 bits below 1
extern const RandomSlot random_normal;     // Box and Muller (1958), on lanes 0, 1 and 2, 3 of a block
extern const RandomSlot random_bernoulli;  // 1 where u < probability, else 0

}  // namespace tapetum::kernels
