#include "core/ops/loss.h"

#include <fmt/core.h>

#include "core/autograd/apply.h"
#include "core/faults.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/index.h"
#include "core/ops/launch.h"
#include "core/ops/lines.h"
#include "core/ops/loss_common.h"
#include "core/ops/promotion.h"
#include "core/ops/reduce.h"
#include "core/ops/softmax.h"
#include "core/ops/view.h"
#include "kernels/loss.h"

namespace tapetum {
namespace {

struct IndexLossOptions {
  int64_t ignore_index;
  Reduction reduction;
  double label_smoothing;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("ignore_index", s.ignore_index);
    v("reduction", s.reduction);
    v("label_smoothing", s.label_smoothing);
  }
};

// 16-bit values in f32, for sums over pixels in plain ops.
Tensor widened(const Tensor& x) { return x.defined() ? to(x, compute_type(x.dtype())) : x; }

// The loss of log-probabilities, in plain ops.
Tensor index_loss(const IndexLossOptions& o, const Tensor& log_p, const Tensor& target, const Tensor& weight) {
  const int d = class_dim(log_p);
  const Labels labels = labels_of(log_p, target, o.ignore_index);
  const Tensor factor = weight.defined() ? reshape(index_select(weight, 0, reshape(labels.classes, {-1})), target.shape())
                                         : full(target.shape(), 1, log_p.dtype(), log_p.device());
  const Tensor w = masked_fill(factor, labels.ignored, 0);
  const Tensor picked = reshape(gather(log_p, d, labels.column), target.shape());
  Tensor loss = -masked_fill(picked, labels.ignored, 0) * w;
  if (o.label_smoothing != 0) {
    const Tensor all = sum(weight.defined() ? log_p * per_class(weight, log_p) : log_p, {d});
    const double share = o.label_smoothing / static_cast<double>(log_p.size(d));
    loss = loss * (1 - o.label_smoothing) - masked_fill(all, labels.ignored, 0) * share;
  }
  if (o.reduction == Reduction::none) return loss;
  return o.reduction == Reduction::sum ? sum(loss) : sum(loss) / sum(w);
}

struct CrossEntropyOp {
  static constexpr OpInfo info{"cross_entropy", Autocast::f32};
  using Options = IndexLossOptions;

  static kernels::CrossEntropyOptions kernel_options(const Options& o) { return {o.label_smoothing, o.ignore_index, o.reduction}; }

  static Tensor forward(Context& c, const Options& o, const Tensor& input, const Tensor& target, const Tensor& weight) {
    const Tensor x = dense_pixels(input), t = contiguous(target), w = dense_or_none(weight);
    Tensor loss = empty(o.reduction == Reduction::none ? target.shape() : Shape{}, x.dtype(), x.device());
    const DType compute = compute_type(x.dtype());
    Tensor lse = empty(target.shape(), compute, x.device()), total_weight = empty({}, compute, x.device());
    FaultReport report(x.device(), label_faults("cross_entropy", t, x.size(class_dim(x)), o.ignore_index));
    launch(kernels::cross_entropy_forward, x.device(), x.dtype(),
           {line_shape(x, class_dim(x)), kernel_options(o), x.raw(), static_cast<const int64_t*>(t.raw()), data_or_null(w), loss.mutable_raw(),
            lse.mutable_raw(), total_weight.mutable_raw(), report.place()});
    report.finish();
    c.save(lse, total_weight);
    return loss;
  }

  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    const Tensor x = dense_pixels(c.saved(0)), t = contiguous(c.saved(1)), weight = c.saved(2), lse = c.saved(3), total_weight = c.saved(4);
    const Tensor g = contiguous(gy), w = dense_or_none(weight);
    Tensor gx = empty_strided(x.shape(), x.strides(), x.dtype(), x.device());
    launch(kernels::cross_entropy_backward, x.device(), x.dtype(),
           {line_shape(x, class_dim(x)), kernel_options(o), x.raw(), static_cast<const int64_t*>(t.raw()), data_or_null(w), lse.raw(),
            total_weight.raw(), g.raw(), gx.mutable_raw()});
    return {gx, Tensor(), Tensor()};
  }

  static Tensor twin(const Options& o, const Tensor& x, const Tensor& target, const Tensor& weight) {
    return to(index_loss(o, log_softmax(widened(x), class_dim(x)), target, widened(weight)), x.dtype());
  }
};

Tensor probability_loss(const Tensor& x, const Tensor& target, const CrossEntropyOptions& o) {
  check_same("cross_entropy", x, target);
  const int d = class_dim(x);
  const auto classes = static_cast<double>(x.size(d));
  const Tensor smooth = o.label_smoothing == 0 ? target : target * (1 - o.label_smoothing) + o.label_smoothing / classes;
  const Tensor weighted = o.weight.defined() ? smooth * per_class(o.weight.detach(), x) : smooth;
  const Tensor loss = -sum(log_softmax(x, d) * weighted, {d});
  return reduced("cross_entropy", loss, o.reduction);
}

Shape without_classes(const Tensor& x) {
  Shape shape;
  for (int d = 0; d < x.dim(); ++d)
    if (d != class_dim(x)) shape.push_back(x.size(d));
  return shape;
}

}  // namespace

int class_dim(const Tensor& x) { return x.dim() == 1 ? 0 : 1; }

// A [C] tensor along the class dimension of x.
Tensor per_class(const Tensor& weight, const Tensor& x) {
  Shape shape(x.dim(), 1);
  shape[class_dim(x)] = weight.numel();
  return reshape(weight, shape);
}

void check_input(const char* op, const Tensor& x, const Tensor& weight) {
  check_floating(op, x);
  if (x.dim() == 0) throw ShapeError(fmt::format("{}: expected an input [N, C, ...] or [C], got {}", op, to_string(x.shape())));
  if (!weight.defined()) return;
  check_same(op, x, weight);
  if (!(weight.shape() == Shape{x.size(class_dim(x))}))
    throw ShapeError(fmt::format("{}: weight must be [C], got {} (input {})", op, to_string(weight.shape()), to_string(x.shape())));
}

Tensor class_indices(const char* op, const Tensor& x, const Tensor& target) {
  if (target.dtype() != DType::i64 && target.dtype() != DType::i32)
    throw DTypeError(fmt::format("{}: expected a target of i64 or i32, got {}", op, name_of(target.dtype())));
  if (!(target.shape() == without_classes(x)))
    throw ShapeError(fmt::format("{}: the target must be the input without its class dimension, got {} (input {})", op, to_string(target.shape()),
                                 to_string(x.shape())));
  return target.dtype() == DType::i64 ? target : to(target, DType::i64);
}

Tensor dense_pixels(const Tensor& x) {
  Shape order;
  for (int d = 0; d < x.dim(); ++d)
    if (d != class_dim(x)) order.push_back(d);
  order.push_back(class_dim(x));
  return x.is_contiguous() || permute(x, order).is_contiguous() ? x : contiguous(x);
}

Labels labels_of(const Tensor& x, const Tensor& target, int64_t ignore_index) {
  Labels labels{target == ignore_index, {}, {}};
  labels.classes = masked_fill(target, labels.ignored, 0);
  Shape column = x.shape();
  column[class_dim(x)] = 1;
  labels.column = reshape(labels.classes, column);
  return labels;
}

FaultSource label_faults(const char* op, const Tensor& target, int64_t classes, int64_t ignore_index) {
  return {.op = op, .shape = target.shape(), .limit = classes, .ignored = ignore_index};
}

Tensor cross_entropy(const Tensor& input, const Tensor& labels, const CrossEntropyOptions& options) {
  const Casting cast(CrossEntropyOp::info.autocast);
  const Tensor x = cast(input), target = cast(labels);
  CrossEntropyOptions o = options;
  o.weight = cast(o.weight);
  check_input("cross_entropy", x, o.weight);
  check_reduction("cross_entropy", o.reduction);
  if (!(o.label_smoothing >= 0 && o.label_smoothing <= 1))
    throw Error(fmt::format("cross_entropy: label_smoothing must lie in [0, 1], got {}", o.label_smoothing));
  const bool probabilities = is_floating(target.dtype()) && target.shape() == x.shape();
  if (const DType t = probabilities ? compute_type(x.dtype()) : kernel_type(x); t != x.dtype()) {
    CrossEntropyOptions wide = o;
    wide.weight = widened(o.weight);
    return to(cross_entropy(to(x, t), probabilities ? widened(target) : target, wide), x.dtype());
  }
  if (probabilities) return probability_loss(x, target, o);
  const Tensor t = class_indices("cross_entropy", x, target), weight = o.weight.defined() ? o.weight.detach() : o.weight;
  return apply<CrossEntropyOp>({o.ignore_index, o.reduction, o.label_smoothing}, x, t, weight);
}

Tensor nll_loss(const Tensor& input, const Tensor& target, const NllLossOptions& o) {
  const Casting cast(Autocast::f32);
  const Tensor log_p = cast(input), factors = cast(o.weight);
  check_input("nll_loss", log_p, factors);
  check_reduction("nll_loss", o.reduction);
  const Tensor t = class_indices("nll_loss", log_p, target), weight = factors.defined() ? factors.detach() : factors;
  const FaultContext label("nll_loss: a label is neither a class nor ignored: ");
  return to(index_loss({o.ignore_index, o.reduction, 0}, widened(log_p), t, widened(weight)), log_p.dtype());
}

}  // namespace tapetum
