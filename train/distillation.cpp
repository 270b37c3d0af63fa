#include "train/distillation.h"

#include <fmt/core.h>

#include <cmath>

#include "core/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/loss.h"
#include "core/ops/softmax.h"

namespace tapetum::train {

Tensor distillation_loss(const Tensor& student, const Tensor& teacher, const Tensor& labels, const DistillationOptions& o) {
  if (!(o.temperature > 0) || !std::isfinite(o.temperature))
    throw Error(fmt::format("distillation_loss: temperature must be a number above 0, got {}", o.temperature));
  if (!(o.alpha >= 0 && o.alpha <= 1)) throw Error(fmt::format("distillation_loss: alpha must be in [0, 1], got {}", o.alpha));
  if (student.dim() < 2 || student.shape() != teacher.shape())
    throw ShapeError(fmt::format("distillation_loss: student and teacher must be logits [N, C, ...] of one shape, got {} and {}",
                                 to_string(student.shape()), to_string(teacher.shape())));
  if (!labels.defined() && o.alpha < 1) throw Error(fmt::format("distillation_loss: labels may be left out only where alpha is 1, got {}", o.alpha));
  const double t = o.temperature, samples = static_cast<double>(student.numel()) / static_cast<double>(student.size(1));
  Tensor loss;
  if (o.alpha > 0) {
    const Tensor soft = kl_div(log_softmax(student / t, 1), log_softmax(teacher.detach() / t, 1), {.reduction = Reduction::sum, .log_target = true});
    loss = soft * (o.alpha * t * t / samples);
  }
  if (o.alpha == 1) return loss;
  const Tensor hard = cross_entropy(student, labels) * (1 - o.alpha);
  return loss.defined() ? loss + hard : hard;
}

}  // namespace tapetum::train
