// Losses of two tensors of one shape: definitions in plain ops.
#include <fmt/core.h>

#include "core/autograd/apply.h"
#include "core/error.h"
#include "core/ops/activation.h"
#include "core/ops/compare.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/loss.h"
#include "core/ops/loss_common.h"
#include "core/ops/reduce.h"

namespace tapetum {
namespace {

void check_weight(const char* op, const char* name, const Tensor& weight, const Tensor& x) {
  if (!weight.defined()) return;
  check_same(op, x, weight);
  if (!(broadcast(op, x.shape(), weight.shape()) == x.shape()))
    throw ShapeError(fmt::format("{}: {} {} does not broadcast to the input {}", op, name, to_string(weight.shape()), to_string(x.shape())));
}

// With m = min(d, bound), m (d - m/2) is d^2/2 below the bound and bound (d - bound/2) above.
Tensor quadratic_up_to(const Tensor& d, double bound) {
  const Tensor m = clamp(d, 0, bound);
  return m * (d - m * 0.5);
}

Tensor bounded_log(const Tensor& x) { return clamp_min(log(x), -100); }
Tensor bounded_log1p(const Tensor& x) { return clamp_min(log1p(x), -100); }

// Not in plain ops alone: the logarithm's bound has a gradient of its own, (x - t) / max(x (1 - x), 1e-12) as PyTorch has it,
// with 1e-12 rounded to float.
struct BinaryCrossEntropyOp {
  static constexpr OpInfo info{"binary_cross_entropy", Autocast::f32};
  using Options = NoOptions;
  static Tensor forward(Context& c, const Options&, const Tensor& x, const Tensor& t) {
    c.save(x, t);
    return (t - 1) * bounded_log1p(-x) - t * bounded_log(x);
  }
  static Gradients backward(const Context& c, const Options&, const Tensor& gy) {
    const Tensor x = c.saved(0), t = c.saved(1);
    Gradients gs(2);
    if (c.needs(0)) gs[0] = gy * (x - t) / clamp_min(x * (1 - x), 1e-12f);
    if (c.needs(1)) gs[1] = gy * (bounded_log1p(-x) - bounded_log(x));
    return gs;
  }
};

}  // namespace

void check_reduction(const char* op, Reduction reduction) {
  if (reduction == Reduction::batchmean) throw Error(fmt::format("{}: reduction must be none, sum or mean, got batchmean", op));
}

Tensor reduced(const char* op, const Tensor& loss, Reduction reduction) {
  check_reduction(op, reduction);
  return reduction == Reduction::none ? loss : reduction == Reduction::sum ? sum(loss) : mean(loss);
}

void check_pair(const char* op, const Tensor& x, const Tensor& target) {
  check_same(op, x, target);
  check_floating(op, x);
  if (!(x.shape() == target.shape()))
    throw ShapeError(fmt::format("{}: input and target must have one shape, got {} and {}", op, to_string(x.shape()), to_string(target.shape())));
}

Tensor mse_loss(const Tensor& input, const Tensor& wanted, const LossOptions& o) {
  const auto [cast, x, target] = LossPair("mse_loss", input, wanted);
  return reduced("mse_loss", square(x - target), o.reduction);
}

Tensor l1_loss(const Tensor& input, const Tensor& wanted, const LossOptions& o) {
  const auto [cast, x, target] = LossPair("l1_loss", input, wanted);
  return reduced("l1_loss", abs(x - target), o.reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& wanted, const SmoothL1Options& o) {
  const auto [cast, x, target] = LossPair("smooth_l1_loss", input, wanted);
  if (!(o.beta >= 0)) throw Error(fmt::format("smooth_l1_loss: beta must not be negative, got {}", o.beta));
  const Tensor d = abs(x - target);
  return reduced("smooth_l1_loss", o.beta == 0 ? d : quadratic_up_to(d, o.beta) / o.beta, o.reduction);
}

Tensor huber_loss(const Tensor& input, const Tensor& wanted, const HuberOptions& o) {
  const auto [cast, x, target] = LossPair("huber_loss", input, wanted);
  if (!(o.delta > 0)) throw Error(fmt::format("huber_loss: delta must be positive, got {}", o.delta));
  return reduced("huber_loss", quadratic_up_to(abs(x - target), o.delta), o.reduction);
}

Tensor binary_cross_entropy(const Tensor& input, const Tensor& wanted, const BinaryCrossEntropyOptions& options) {
  const auto [cast, x, target] = LossPair("binary_cross_entropy", input, wanted);
  BinaryCrossEntropyOptions o = options;
  o.weight = cast(o.weight);
  check_weight("binary_cross_entropy", "weight", o.weight, x);
  const Tensor loss = apply<BinaryCrossEntropyOp>({}, x, target);
  return reduced("binary_cross_entropy", o.weight.defined() ? loss * o.weight : loss, o.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& wanted, const BinaryCrossEntropyWithLogitsOptions& options) {
  const auto [cast, x, target] = LossPair("binary_cross_entropy_with_logits", input, wanted);
  BinaryCrossEntropyWithLogitsOptions o = options;
  o.weight = cast(o.weight);
  o.pos_weight = cast(o.pos_weight);
  check_weight("binary_cross_entropy_with_logits", "weight", o.weight, x);
  check_weight("binary_cross_entropy_with_logits", "pos_weight", o.pos_weight, x);
  // -log sigmoid(x) = softplus(-x), and -log(1 - sigmoid(x)) = x + softplus(-x). Above 40 softplus is the identity in f64 too.
  const Tensor soft = softplus(-x, 1, 40);
  const Tensor scaled = o.pos_weight.defined() ? soft * ((o.pos_weight - 1) * target + 1) : soft;
  const Tensor loss = (1 - target) * x + scaled;
  return reduced("binary_cross_entropy_with_logits", o.weight.defined() ? loss * o.weight : loss, o.reduction);
}

Tensor kl_div(const Tensor& input, const Tensor& wanted, const KlDivOptions& o) {
  const auto [cast, x, target] = LossPair("kl_div", input, wanted);
  Tensor loss;
  if (o.log_target) {
    loss = exp(target) * (target - x);
  } else {
    const Tensor safe = masked_fill(target, target == 0, 1);  // 0 log 0 = 0
    loss = target * (log(safe) - x);
  }
  if (o.reduction != Reduction::batchmean) return reduced("kl_div", loss, o.reduction);
  return sum(loss) / (x.dim() ? static_cast<double>(x.size(0)) : 1.0);
}

}  // namespace tapetum
