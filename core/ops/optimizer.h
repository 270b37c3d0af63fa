// Fused optimizer steps over lists of parameters, in place and unrecorded; formulas in kernels/optimizer.h. f32 and f64, on cuda f16 and bf16
// too (computed in f32; states are of their parameter's type, so those of small gradients round to zero in f16); mixed lists too.
// Learning rates and step counts are f64 [] on the parameters' device: nothing here waits for it. Throws ShapeError, DTypeError or
// DeviceError, and then has changed nothing, when a gradient or state does not fit its parameter.
#pragma once
#include <vector>

#include "core/tensor.h"

namespace tapetum {

// One parameter of a step: `value` changes, `source` is read. The states are those of the optimizer, in its order; undefined where its
// options leave one unused.
struct StepItem {
  Tensor value, source;  // the parameter and its gradient; for ema_step_ the average and the parameter
  Tensor state[3];
  Tensor step;  // how many steps the parameter has made: counted up
};

struct SgdStepOptions {
  double momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
};
struct AdamStepOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool decoupled = false, amsgrad = false;  // decoupled: AdamW
};
struct RmspropStepOptions {
  double alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0;
  bool centered = false;
};
struct EmaStepOptions {
  double decay = 0.999;
  bool warm_up = false;
};

void sgd_step_(const std::vector<StepItem>& items, const Tensor& lr, const SgdStepOptions& options);          // state: momentum
void adam_step_(const std::vector<StepItem>& items, const Tensor& lr, const AdamStepOptions& options);        // mean, square, greatest square
void rmsprop_step_(const std::vector<StepItem>& items, const Tensor& lr, const RmspropStepOptions& options);  // square, momentum, mean
void ema_step_(const std::vector<StepItem>& items, const EmaStepOptions& options);

// The p-norm of all gradients together, f64 []; they are scaled in place by min(1, limit / (norm + 1e-6)). One dtype and device.
Tensor clip_norm_(const std::vector<Tensor>& gradients, double limit, double p = 2);

}  // namespace tapetum
