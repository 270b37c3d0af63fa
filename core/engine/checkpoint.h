// Activation checkpointing (Chen et al., "Training deep nets with sublinear memory cost", 2016): what lies between the inputs and the
// result is not kept but computed again when the gradient needs it.
#pragma once
#include <vector>

#include "core/function.h"
#include "core/tensor.h"

namespace tapetum {

using Segment = Function<Tensor(const std::vector<Tensor>&)>;

// fn(inputs). fn runs once more in backward, with the random numbers and the autocast of the first time; it may use parameters that are not among
// its inputs, and must not change its inputs or state in place. (Running statistics of batch norm advance once: core/autograd/recompute.h.)
Tensor checkpoint(const Segment& fn, const std::vector<Tensor>& inputs);

}  // namespace tapetum
