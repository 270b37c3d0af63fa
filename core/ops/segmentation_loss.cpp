// Dice and focal losses.
#include "core/autograd/apply.h"
#include "core/ops/activation.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/index.h"
#include "core/ops/launch.h"
#include "core/ops/lines.h"
#include "core/ops/loss.h"
#include "core/ops/loss_common.h"
#include "core/ops/promotion.h"
#include "core/ops/reduce.h"
#include "core/ops/softmax.h"
#include "core/ops/view.h"
#include "kernels/dice.h"

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

// [3, C]: per class the sum of p at its pixels, the sum of all p^2 (or p), and how many pixels it has; ignored pixels are left out.
// Of 16-bit p they are f32.
struct DiceSumsOp {
  static constexpr OpInfo info{"dice_sums", Autocast::f32};
  struct Options {
    int64_t ignore_index;
    bool squared;
    template <class S, class V> static void fields(S& s, V&& v) {
      v("ignore_index", s.ignore_index);
      v("squared", s.squared);
    }
  };

  static Tensor forward(Context&, const Options& o, const Tensor& probabilities, const Tensor& target) {
    const Tensor p = dense_pixels(probabilities), t = contiguous(target);
    Tensor sums = empty({3, p.size(class_dim(p))}, compute_type(p.dtype()), p.device());
    FaultReport report(p.device(), label_faults("dice_loss", t, p.size(class_dim(p)), o.ignore_index));
    launch(
        kernels::dice_sums_forward, p.device(), p.dtype(),
        {line_shape(p, class_dim(p)), o.squared, o.ignore_index, p.raw(), static_cast<const int64_t*>(t.raw()), sums.mutable_raw(), report.place()});
    report.finish();
    return sums;
  }

  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    const Tensor p = dense_pixels(c.saved(0)), t = contiguous(c.saved(1)), g = contiguous(gy);
    Tensor gp = empty_strided(p.shape(), p.strides(), p.dtype(), p.device());
    launch(kernels::dice_sums_backward, p.device(), p.dtype(),
           {line_shape(p, class_dim(p)), o.squared, o.ignore_index, p.raw(), static_cast<const int64_t*>(t.raw()), g.raw(), gp.mutable_raw()});
    return {gp, Tensor()};
  }

  static Tensor twin(const Options& o, const Tensor& probabilities, const Tensor& target) {
    const Tensor p = to(probabilities, compute_type(probabilities.dtype()));
    const Labels labels = labels_of(p, target, o.ignore_index);
    const Tensor kept = to(logical_not(reshape(labels.ignored, labels.column.shape())), p.dtype()), q = p * kept;
    const Tensor g = scatter(zeros_like(p.detach()), class_dim(p), labels.column, 1) * kept;
    return stack({over_pixels(q * g), over_pixels(o.squared ? square(q) : q), over_pixels(g)});
  }

  static Tensor over_pixels(const Tensor& x) {
    Shape pixels;
    for (int d = 0; d < x.dim(); ++d)
      if (d != class_dim(x)) pixels.push_back(d);
    return pixels.size() ? sum(x, pixels) : x;
  }
};

// The same three sums against masks g of p's shape.
Tensor mask_sums(const Tensor& p, const Tensor& g, bool squared) {
  check_pair("dice_loss", p, g);
  return stack({DiceSumsOp::over_pixels(p * g), DiceSumsOp::over_pixels(squared ? square(p) : p), DiceSumsOp::over_pixels(squared ? square(g) : g)});
}

}  // namespace

Tensor dice_loss(const Tensor& input, const Tensor& wanted, const DiceOptions& o) {
  const Casting cast(Autocast::f32);
  const Tensor x = cast(input), target = cast(wanted);
  check_input("dice_loss", x, {});
  const bool masks = is_floating(target.dtype());
  if (const DType t = masks ? compute_type(x.dtype()) : kernel_type(x); t != x.dtype())
    return to(dice_loss(to(x, t), masks ? to(target, t) : target, o), x.dtype());
  const Tensor p = activated(x, o.activation);
  const Tensor sums =
      masks ? mask_sums(p, target, o.squared) : apply<DiceSumsOp>({o.ignore_index, o.squared}, p, class_indices("dice_loss", x, target));
  const Tensor overlap = select(sums, 0, 0), sizes = select(sums, 0, 1) + select(sums, 0, 2);
  return to(reduced("dice_loss", 1 - (overlap * 2 + o.smooth) / (sizes + o.smooth), o.reduction), x.dtype());
}

Tensor focal_loss(const Tensor& input, const Tensor& target, const FocalOptions& options) {
  const Casting cast(Autocast::f32);
  const Tensor x = cast(input);
  FocalOptions o = options;
  o.alpha = cast(o.alpha);
  check_input("focal_loss", x, o.alpha);
  if (const DType t = compute_type(x.dtype()); t != x.dtype()) {  // the number of pixels may be beyond 16 bits
    FocalOptions wide = o;
    if (o.alpha.defined()) wide.alpha = to(o.alpha, t);
    return to(focal_loss(to(x, t), target, wide), x.dtype());
  }
  const Labels labels = labels_of(x, class_indices("focal_loss", x, target), o.ignore_index);
  const Tensor logs = log_softmax(x, class_dim(x));
  const FaultContext label("focal_loss: a label is neither a class nor ignored: ");
  const Tensor picked = gather(logs, class_dim(x), labels.column);
  const Tensor log_p = reshape(picked, target.shape());
  Tensor loss = masked_fill(modulated(-log_p, 1 - exp(log_p), o.gamma), labels.ignored, 0);
  if (o.alpha.defined()) loss = loss * reshape(index_select(o.alpha.detach(), 0, reshape(labels.classes, {-1})), target.shape());
  if (o.reduction != Reduction::mean) return reduced("focal_loss", loss, o.reduction);
  return sum(loss) / to(count_nonzero(logical_not(labels.ignored)), x.dtype());
}

Tensor sigmoid_focal_loss(const Tensor& input, const Tensor& wanted, const SigmoidFocalOptions& o) {
  const auto [cast, x, target] = LossPair("sigmoid_focal_loss", input, wanted);
  const Tensor p = sigmoid(x), one_minus_p = p + target - p * target * 2;
  Tensor loss = binary_cross_entropy_with_logits(x, target, {.reduction = Reduction::none});
  loss = modulated(loss, one_minus_p, o.gamma);
  if (o.alpha >= 0) loss = loss * (target * (2 * o.alpha - 1) + (1 - o.alpha));
  return reduced("sigmoid_focal_loss", loss, o.reduction);
}

}  // namespace tapetum
