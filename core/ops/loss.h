// Losses, with PyTorch's names, defaults and reductions; all are differentiable to any order in their input.
// Sums over pixels or classes of 16-bit inputs are in f32; a loss has its input's type.
#pragma once
#include "core/tensor.h"
#include "kernels/reduction.h"

namespace tapetum {

struct CrossEntropyOptions {
  Tensor weight = {};  // [C]: a factor per class
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;  // in [0, 1]: this share of the target is spread evenly over the classes
};

// -log softmax(input)[target], over dimension 1 of input [N, C, d1, ...] or of [C]. The target is either
//   classes, i64 or i32 [N, d1, ...] in [0, C) or ignore_index: ignored ones count for nothing, the mean divides by the sum of the others'
//   weights (so it is NaN where all are ignored); any other value throws IndexError; or
//   probabilities, of input's shape: the mean divides by N d1 ...
Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options = {});

struct NllLossOptions {
  Tensor weight = {};
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
};

// -input[target]: cross_entropy of what are log-probabilities already.
Tensor nll_loss(const Tensor& input, const Tensor& target, const NllLossOptions& options = {});

// Of two tensors of one shape, element by element; nothing broadcasts, which would hide a mistake.
struct LossOptions {
  Reduction reduction = Reduction::mean;
};
struct SmoothL1Options {
  Reduction reduction = Reduction::mean;
  double beta = 1;  // 0: l1_loss
};
struct HuberOptions {
  Reduction reduction = Reduction::mean;
  double delta = 1;
};
Tensor mse_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});  // (x - t)^2
Tensor l1_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});   // |x - t|
// With d = |x - t|: d^2 / (2 beta) where d < beta, else d - beta / 2; Girshick 2015.
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, const SmoothL1Options& options = {});
// d^2 / 2 where d < delta, else delta (d - delta / 2); Huber 1964.
Tensor huber_loss(const Tensor& input, const Tensor& target, const HuberOptions& options = {});

struct BinaryCrossEntropyOptions {
  Tensor weight = {};  // a factor per element; broadcasts to the input
  Reduction reduction = Reduction::mean;
};
struct BinaryCrossEntropyWithLogitsOptions {
  Tensor weight = {};
  Reduction reduction = Reduction::mean;
  Tensor pos_weight = {};  // a factor of the positive term; broadcasts to the input
};
// -(t log x + (1 - t) log(1 - x)) of probabilities x, with logarithms no lower than -100; NaN where x lies outside [0, 1].
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const BinaryCrossEntropyOptions& options = {});
// The same of sigmoid(x), without overflow or cancellation.
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, const BinaryCrossEntropyWithLogitsOptions& options = {});

struct KlDivOptions {
  Reduction reduction = Reduction::mean;  // batchmean is the divergence of the mathematical definition
  bool log_target = false;
};
// t (log t - x) of log-probabilities x and probabilities t (or their logarithms); 0 where t is.
Tensor kl_div(const Tensor& input, const Tensor& target, const KlDivOptions& options = {});

enum class Activation { softmax, sigmoid, none };
struct DiceOptions {
  Activation activation = Activation::softmax;  // none: the input holds probabilities
  double smooth = 1;                            // added to both sides of the fraction: an absent class costs nothing where none is predicted
  bool squared = true;                          // the denominator's terms; false: sum(p) + sum(g)
  int64_t ignore_index = -100;                  // of class indices
  Reduction reduction = Reduction::mean;        // over the classes
};
// Per class 1 - (2 sum(p g) + smooth) / (sum(p^2) + sum(g^2) + smooth), sums over the batch and all pixels (Milletari et al. 2016, V-Net).
// input [N, C, ...]; target: classes [N, ...], or masks of input's shape and dtype.
Tensor dice_loss(const Tensor& input, const Tensor& target, const DiceOptions& options = {});

struct FocalOptions {
  double gamma = 2;
  Tensor alpha = {};  // [C]: a factor per class
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;  // over the pixels that are not ignored
};
// -alpha_t (1 - p_t)^gamma log p_t with p = softmax over dimension 1 of input [N, C, ...], target: classes [N, ...]; Lin et al. 2017.
Tensor focal_loss(const Tensor& input, const Tensor& target, const FocalOptions& options = {});

struct SigmoidFocalOptions {
  double alpha = 0.25;  // of positives, 1 - alpha of negatives; below 0: none
  double gamma = 2;
  Reduction reduction = Reduction::none;
};
// The same of sigmoid(x) for targets in [0, 1] of input's shape: torchvision's sigmoid_focal_loss.
Tensor sigmoid_focal_loss(const Tensor& input, const Tensor& target, const SigmoidFocalOptions& options = {});

}  // namespace tapetum
