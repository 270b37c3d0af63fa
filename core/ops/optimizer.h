// Fused optimizer steps over lists of parameters, in place and unrecorded; formulas in kernels/optimizer.h. f32 and f64, on cuda f16 and bf16
// too (computed in f32; states are of their parameter's type, so those of small gradients round to zero in f16); mixed lists too.
// Learning rates and step counts are f64 [] on the parameters' device: nothing here waits for it. Throws ShapeError, DTypeError or
// DeviceError, and then has changed nothing, when a gradient or state does not fit its parameter.
#pragma once
#include <vector>

#include "core/tensor.h"
#include "kernels/adam_rule.h"

namespace tapetum {

// One parameter of a step: `value` changes, `source` is read. The states are those of the optimizer, in its order; undefined where its
// options leave one unused.
struct StepItem {
  Tensor value, source;  // the parameter and its gradient; for ema_step_ the average and the parameter
  Tensor state[3];
  Tensor step;  // how many steps the parameter has made: counted up. NAdam's is f64 [2], with the product of its momenta, 1 at first
};

// What a step reads from the parameters' device: f64 [] each. Where found_inf is defined and not 0, the step changes nothing.
struct StepScalars {
  Tensor lr, found_inf;
  StepScalars(Tensor rate, Tensor found = {}) : lr(std::move(rate)), found_inf(std::move(found)) {}
};

struct SgdStepOptions {
  double momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
};
struct AdamStepOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool decoupled = false, amsgrad = false;  // decoupled: AdamW; amsgrad: of Adam only
  kernels::AdamRule rule = kernels::AdamRule::adam;
  double momentum_decay = 4e-3;  // NAdam's
};
struct RmspropStepOptions {
  double alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0;
  bool centered = false;
};
struct AdagradStepOptions {
  double lr_decay = 0, weight_decay = 0, eps = 1e-10;
};
struct LionStepOptions {
  double beta1 = 0.9, beta2 = 0.99, weight_decay = 0;
};
struct LambStepOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0;
};
struct LookaheadStepOptions {
  double alpha = 0.8;
  int64_t period = 5;
};
struct EmaStepOptions {
  double decay = 0.999;
  bool warm_up = false;
};

void sgd_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const SgdStepOptions& options);    // state: momentum
void adam_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const AdamStepOptions& options);  // mean, square, greatest square
void rmsprop_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const RmspropStepOptions& options);  // square, momentum, mean
void adagrad_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const AdagradStepOptions& options);  // sum of squares
void lion_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const LionStepOptions& options);        // mean
void lamb_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const LambStepOptions& options);        // mean, square
void lookahead_step_(const std::vector<StepItem>& items, const LookaheadStepOptions& options,
                     const Tensor& found_inf = {});  // slow weights; no source
void ema_step_(const std::vector<StepItem>& items, const EmaStepOptions& options);

// Gradients are divided by scale, in place; found_inf becomes 1 where one of them is not finite. Both are f64 [] on the gradients' device.
void unscale_(const std::vector<Tensor>& gradients, const Tensor& scale, Tensor found_inf);

// The p-norm of all gradients together, f64 []; they are scaled in place by min(1, limit / (norm + 1e-6)). One dtype and device.
Tensor clip_norm_(const std::vector<Tensor>& gradients, double limit, double p = 2);

}  // namespace tapetum
