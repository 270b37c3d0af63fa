// Layers that run as one op where nobody can see them apart: a batch norm and the activation behind it (batch_norm_act of core/ops/norm.h), in
// evaluation with the convolution before it too (conv2d_act of core/ops/conv.h).
#pragma once
#include "nn/conv.h"
#include "nn/norm.h"

namespace tapetum::nn {

// Whether Sequential and the functions below fuse. On unless the environment says TAPETUM_FUSE=0. Layers with hooks run apart all the same, and all
// do under anomaly mode or a tracer, which are there to tell ops apart.
bool fusion();
void set_fusion(bool on);

Tensor norm_act(BatchNorm2d& norm, ConvActivation activation, const Tensor& x);  // activation(norm(x)), in one op where that is allowed

// activation(norm(conv(x)) + residual), residual undefined for none. In one op where that is allowed, the norm's statistics are fixed and no gradient
// is recorded: the norm is then a factor and a shift of each channel, which the convolution applies to its sums.
Tensor conv_norm_act(Conv2d& conv, BatchNorm2d& norm, ConvActivation activation, const Tensor& x, const Tensor& residual = {});

// The first layers of a row in one op.
struct Fused {
  Tensor result;
  size_t layers = 0;  // 0: these have no such op, or must run apart
};
Fused run_fused(Layer& first, Layer* second, Layer* third, const Tensor& x);  // null past the row's end

}  // namespace tapetum::nn
