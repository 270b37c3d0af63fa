// Layers that run as one op where nobody can see them apart: a batch norm and the activation behind it (batch_norm_act of core/ops/norm.h).
#pragma once
#include "nn/norm.h"

namespace tapetum::nn {

// Whether Sequential and norm_act fuse. On unless the environment says TAPETUM_FUSE=0. Layers with hooks run apart all the same, and all do under
// anomaly mode or a tracer, which are there to tell ops apart.
bool fusion();
void set_fusion(bool on);

Tensor norm_act(BatchNorm2d& norm, ConvActivation activation, const Tensor& x);  // activation(norm(x)), in one op where that is allowed

// second(first(x)) in one op; undefined where the two have none, or must run apart.
Tensor run_fused(Layer& first, Layer& second, const Tensor& x);

}  // namespace tapetum::nn
