// Dice and focal losses: definitions in plain ops.
#include <fmt/core.h>

#include "core/error.h"
#include "core/ops/activation.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/index.h"
#include "core/ops/loss.h"
#include "core/ops/loss_common.h"
#include "core/ops/reduce.h"
#include "core/ops/softmax.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

Tensor activated(const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::softmax:
      return softmax(x, class_dim(x));
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::none:
      break;
  }
  return x;
}

// loss (1 - p)^gamma. The power 0 is not taken: its gradient would be 0 * infinity where p = 1.
Tensor modulated(const Tensor& loss, const Tensor& one_minus_p, double gamma) {
  if (gamma == 0) return loss;
  return loss * (gamma == 2 ? square(one_minus_p) : pow(one_minus_p, gamma));
}

}  // namespace

Tensor dice_loss(const Tensor& x, const Tensor& target, const DiceOptions& o) {
  check_input("dice_loss", x, {});
  Tensor p = activated(x, o.activation), g = target;
  if (!is_floating(target.dtype())) {
    const Labels labels = labels_of(x, class_indices("dice_loss", x, target), o.ignore_index);
    const Tensor kept = to(logical_not(reshape(labels.ignored, labels.column.shape())), x.dtype());
    g = with_label_errors("dice_loss", [&] { return scatter(zeros_like(p.detach()), class_dim(x), labels.column, 1); }) * kept;
    p = p * kept;
  }
  check_pair("dice_loss", p, g);
  Shape pixels;
  for (int d = 0; d < x.dim(); ++d)
    if (d != class_dim(x)) pixels.push_back(d);
  const auto total = [&](const Tensor& t) { return pixels.size() ? sum(t, pixels) : t; };
  const Tensor sizes = o.squared ? total(square(p)) + total(square(g)) : total(p) + total(g);
  return reduced("dice_loss", 1 - (total(p * g) * 2 + o.smooth) / (sizes + o.smooth), o.reduction);
}

Tensor focal_loss(const Tensor& x, const Tensor& target, const FocalOptions& o) {
  check_input("focal_loss", x, o.alpha);
  const Labels labels = labels_of(x, class_indices("focal_loss", x, target), o.ignore_index);
  const Tensor picked = with_label_errors("focal_loss", [&] { return gather(log_softmax(x, class_dim(x)), class_dim(x), labels.column); });
  const Tensor log_p = reshape(picked, target.shape());
  Tensor loss = masked_fill(modulated(-log_p, 1 - exp(log_p), o.gamma), labels.ignored, 0);
  if (o.alpha.defined()) loss = loss * reshape(index_select(o.alpha.detach(), 0, reshape(labels.classes, {-1})), target.shape());
  if (o.reduction != Reduction::mean) return reduced("focal_loss", loss, o.reduction);
  return sum(loss) / to(count_nonzero(logical_not(labels.ignored)), x.dtype());
}

Tensor sigmoid_focal_loss(const Tensor& x, const Tensor& target, const SigmoidFocalOptions& o) {
  check_pair("sigmoid_focal_loss", x, target);
  const Tensor p = sigmoid(x), one_minus_p = p + target - p * target * 2;
  Tensor loss = binary_cross_entropy_with_logits(x, target, {.reduction = Reduction::none});
  loss = modulated(loss, one_minus_p, o.gamma);
  if (o.alpha >= 0) loss = loss * (target * (2 * o.alpha - 1) + (1 - o.alpha));
  return reduced("sigmoid_focal_loss", loss, o.reduction);
}

}  // namespace tapetum
