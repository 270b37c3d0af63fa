// Fused steps over lists of tensors: every array is read and written once, one call serves a whole parameter group.
// Learning rate and step counts lie in device memory, so that a captured step can be replayed.
#pragma once
#include <concepts>

#include "kernels/adam_rule.h"
#include "kernels/slot.h"
#include "kernels/work.h"

namespace tapetum::kernels {

struct OptimizerShape {
  int64_t tensors, elements;  // elements: of all tensors together
  DType dtype;
};
static_assert(is_key<OptimizerShape>);

// One parameter: all arrays have `count` elements without gaps, in the same order. What a step doesn't use is null.
struct OptimizerTensor {
  void* value;         // p, changed
  const void* source;  // g, read
  void* state[3];      // changed
  double* step;        // how often it was stepped before; counted up by the call. For NAdam P follows it
  int64_t count;
};

// A step whose found_inf is not null and holds another number than 0 changes nothing, its counts neither.
template <class Args, Status (*step)(const Args&, Workspace&)> Status unless_found(const Args& a, Workspace& w) {
  return a.found_inf && *a.found_inf != 0 ? Status::ok : step(a, w);
}

// g += weight_decay p; b = first step ? g : momentum b + (1 - dampening) g; p -= lr (nesterov ? g + momentum b : b). state: b, null without momentum.
struct SgdStepArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  const double* lr;
  const double* found_inf;
  double momentum, dampening, weight_decay;
  bool nesterov;
};

// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps). state: m, v, greatest v.
// nadam: u(t) = beta1 (1 - 0.96^(t momentum_decay) / 2), P = u(1) ... u(t);
//   p -= lr ((1 - u(t)) g / (1 - P) + u(t + 1) m / (1 - P u(t + 1))) / (sqrt(v / (1 - beta2^t)) + eps)
// radam: r = 2 / (1 - beta2) - 1, n = r - 2 t beta2^t / (1 - beta2^t);
//   p -= lr m / (1 - beta1^t) (n > 5 ? sqrt((n - 4) (n - 2) r / ((r - 4) (r - 2) n) (1 - beta2^t)) / (sqrt(v) + eps) : 1)
struct AdamStepArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  const double* lr;
  const double* found_inf;
  double beta1, beta2, eps, weight_decay;
  bool decoupled;  // AdamW: p shrinks by lr weight_decay, instead of g growing by weight_decay p
  bool amsgrad;    // of adam
  AdamRule rule;
  double momentum_decay;  // of nadam
};

// v = alpha v + (1 - alpha) g^2; d = g / (sqrt(v - a^2) + eps), a = alpha a + (1 - alpha) g if centered, else 0;
// p -= lr (momentum ? b = momentum b + d : d). state: v, b, a.
struct RmspropStepArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  const double* lr;
  const double* found_inf;
  double alpha, eps, weight_decay, momentum;
  bool centered;
};

// s += g^2; p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps). state: s.
struct AdagradStepArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  const double* lr;
  const double* found_inf;
  double lr_decay, weight_decay, eps;
};

// p -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay p); m = beta2 m + (1 - beta2) g. state: m.
struct LionStepArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  const double* lr;
  const double* found_inf;
  double beta1, beta2, weight_decay;
};

// Adam's m and v; u = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay p; p -= lr |p| / |u| u with the 2-norms of the whole
// parameter, where both are positive, else p -= lr u. state: m, v.
struct LambStepArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  const double* lr;
  const double* found_inf;
  double beta1, beta2, eps, weight_decay;
};

// At each `period`-th step: slow += alpha (p - slow), p = slow. state: slow; source is not read.
struct LookaheadStepArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  const double* found_inf;
  double alpha;
  int64_t period;
};

// average += (1 - d) (parameter - average), value and source; d = decay, or min(decay, (1 + t) / (10 + t)) at the t-th step while it warms up.
struct EmaStepArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  double decay;
  bool warm_up;
};

// value /= scale; found_inf = 1 where one of the values is not finite, else it stays.
struct UnscaleArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  const double* scale;
  double* found_inf;
};

// norm = (sum |x|^p)^(1/p) over all values x, the greatest |x| for p = infinity; values are scaled by min(1, limit / (norm + 1e-6)).
struct ClipNormArgs {
  OptimizerShape shape;
  const OptimizerTensor* tensors;
  double limit, p;
  double* norm;
};

// Of each tensor that has it: the value and the states are read and written, the source is read.
template <class Args>
requires std::same_as<decltype(Args::tensors), const OptimizerTensor*> Work work_of(const Args& a) {
  double elements = 0;
  for (const OptimizerTensor* t = a.tensors; t != a.tensors + a.shape.tensors; ++t)
    elements += static_cast<double>(t->count) *
                (2 + (t->source != nullptr) + 2 * ((t->state[0] != nullptr) + (t->state[1] != nullptr) + (t->state[2] != nullptr)));
  return {0, elements * static_cast<double>(size_of(a.shape.dtype))};
}

extern const KernelSlot<SgdStepArgs> sgd_step;
extern const KernelSlot<AdamStepArgs> adam_step;
extern const KernelSlot<RmspropStepArgs> rmsprop_step;
extern const KernelSlot<AdagradStepArgs> adagrad_step;
extern const KernelSlot<LionStepArgs> lion_step;
extern const KernelSlot<LambStepArgs> lamb_step;
extern const KernelSlot<LookaheadStepArgs> lookahead_step;
extern const KernelSlot<EmaStepArgs> ema_step;
extern const KernelSlot<UnscaleArgs> unscale;
extern const KernelSlot<ClipNormArgs> clip_norm;

}  // namespace tapetum::kernels
