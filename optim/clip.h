// Limits on gradients, in place, between backward and step. Parameters without a gradient are left out.
#pragma once
#include <vector>

#include "core/tensor.h"

namespace tapetum::optim {

struct ClipOptions {
  double norm_type = 2;             // p of the norm; infinity: the greatest magnitude
  bool error_if_nonfinite = false;  // throws Error, before anything is scaled; waits for the device
};

// Scales all gradients by min(1, max_norm / (norm + 1e-6)), where norm is that of all of them together: returned, f64 [].
Tensor clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, const ClipOptions& options = {});
// Clamps every element to [-limit, limit].
void clip_grad_value_(const std::vector<Tensor>& parameters, double limit);

}  // namespace tapetum::optim
