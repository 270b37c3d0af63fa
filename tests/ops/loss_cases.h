#pragma once
#include "kernels/dice.h"
#include "kernels/loss.h"
#include "tests/ops/case.h"

namespace tapetum::test {

// Labels 0 .. classes - 1 in turn, each third one -100 when some are to be ignored.
inline Tensor labels(const Tensor& like, const Shape& shape, int64_t classes, bool some_ignored = false) {
  Tensor t = empty(shape, DType::i64);
  auto* p = t.mutable_data<int64_t>();
  for (int64_t i = 0; i < t.numel(); ++i) p[i] = some_ignored && i % 3 == 1 ? -100 : (i * 7 + i / 5) % classes;
  return like.defined() ? to(t, like.device()) : t;
}

inline const std::vector<const kernels::SlotBase*> cross_entropy_slots = {&kernels::cross_entropy_forward, &kernels::cross_entropy_backward};

inline const std::vector<const kernels::SlotBase*> dice_slots = {&kernels::dice_sums_forward, &kernels::dice_sums_backward};

inline const std::vector<Case> loss_cases = {
    {.name = "cross_entropy rows",
     .shapes = {{7, 5}},
     .op = [](const auto& x) { return cross_entropy(x[0], labels(x[0], {7}, 5)); },
     .slots = cross_entropy_slots,
     .amplification = 8},
    {.name = "cross_entropy many classes",
     .shapes = {{3, 131}},
     .op = [](const auto& x) { return cross_entropy(x[0], labels(x[0], {3}, 131), {.label_smoothing = 0.2}); },
     .slots = cross_entropy_slots,
     .amplification = 8},
    {.name = "cross_entropy image, some ignored",
     .shapes = {{2, 3, 3, 5}},
     .op =
         [](const auto& x) {
           return cross_entropy(x[0], labels(x[0], {2, 3, 5}, 3, true));
         },
     .slots = cross_entropy_slots,
     .amplification = 8},
    {.name = "cross_entropy weights, smoothing, no reduction",
     .shapes = {{2, 3, 3, 5}},
     .op =
         [](const auto& x) {
           return cross_entropy(
               x[0], labels(x[0], {2, 3, 5}, 3, true),
               {.weight = tensor({0.5, 2, 0}, {3}, x[0].dtype()).to(x[0].device()), .reduction = Reduction::none, .label_smoothing = 0.1});
         },
     .slots = cross_entropy_slots,
     .amplification = 8},
    {.name = "cross_entropy own ignore_index, sum, many weighted classes",
     .shapes = {{4, 70}},
     .op =
         [](const auto& x) {
           return cross_entropy(
               x[0], labels(x[0], {4}, 70),
               {.weight = full({70}, 0.5, x[0].dtype(), x[0].device()), .ignore_index = 7, .reduction = Reduction::sum, .label_smoothing = 0.3});
         },
     .slots = cross_entropy_slots,
     .amplification = 8},
    {.name = "cross_entropy one pixel without batch",
     .shapes = {{4}},
     .op = [](const auto& x) { return cross_entropy(x[0], labels(x[0], {}, 4)); },
     .slots = cross_entropy_slots,
     .amplification = 8},
    {.name = "cross_entropy volume, sum",
     .shapes = {{2, 4, 2, 3, 3}},
     .op =
         [](const auto& x) {
           return cross_entropy(x[0], labels(x[0], {2, 2, 3, 3}, 4), {.reduction = Reduction::sum});
         },
     .slots = cross_entropy_slots,
     .amplification = 8},
    {.name = "cross_entropy no pixels, sum",
     .shapes = {{0, 4, 3}},
     .op =
         [](const auto& x) {
           return cross_entropy(x[0], labels(x[0], {0, 3}, 4), {.reduction = Reduction::sum});
         },
     .slots = cross_entropy_slots},
    {.name = "cross_entropy wide range",
     .shapes = {{5, 4}},
     .op = [](const auto& x) { return cross_entropy(x[0], labels(x[0], {5}, 4)); },
     .slots = cross_entropy_slots,
     .low = -300,
     .high = 300,
     .flat = true,
     .amplification = 512},  // lse - x cancels
    {.name = "cross_entropy of probabilities",
     .shapes = {{2, 3, 2, 2}, {2, 3, 2, 2}},
     .op = [](const auto& x) { return cross_entropy(x[0], softmax(x[1], 1)); },
     .slots = {&kernels::cross_entropy_forward},
     .amplification = 16},
    {.name = "cross_entropy of probabilities, all options",
     .shapes = {{2, 3, 2, 2}},
     .op =
         [](const auto& x) {
           return cross_entropy(
               x[0], full({2, 3, 2, 2}, 0.25, x[0].dtype(), x[0].device()),
               {.weight = tensor({0.5, 2, 1}, {3}, x[0].dtype()).to(x[0].device()), .reduction = Reduction::none, .label_smoothing = 0.1});
         },
     .slots = {&kernels::cross_entropy_forward},
     .amplification = 16},
    {.name = "nll_loss",
     .shapes = {{2, 3, 4}},
     .op =
         [](const auto& x) {
           return nll_loss(x[0], labels(x[0], {2, 4}, 3, true));
         },
     .slots = {},
     .amplification = 16},
    {.name = "mse_loss", .shapes = {{3, 5}, {3, 5}}, .op = [](const auto& x) { return mse_loss(x[0], x[1]); }, .slots = {}},
    {.name = "l1_loss, none",
     .shapes = {{3, 5}, {3, 5}},
     .op = [](const auto& x) { return l1_loss(x[0], x[1], {.reduction = Reduction::none}); },
     .slots = {}},
    {.name = "smooth_l1_loss",
     .shapes = {{3, 5}, {3, 5}},
     .op = [](const auto& x) { return smooth_l1_loss(x[0], x[1], {.reduction = Reduction::sum, .beta = 0.7}); },
     .slots = {}},
    {.name = "huber_loss", .shapes = {{3, 5}, {3, 5}}, .op = [](const auto& x) { return huber_loss(x[0], x[1], {.delta = 1.3}); }, .slots = {}},
    {.name = "binary_cross_entropy",
     .shapes = {{3, 5}, {3, 5}, {5}},
     .op = [](const auto& x) { return binary_cross_entropy(x[0], x[1], {.weight = x[2]}); },
     .slots = {},
     .low = 0.1,
     .high = 0.9},
    {.name = "binary_cross_entropy_with_logits",
     .shapes = {{3, 5}, {3, 5}, {5}},
     .op = [](const auto& x) { return binary_cross_entropy_with_logits(x[0], x[1], {.reduction = Reduction::sum, .pos_weight = x[2]}); },
     .slots = {}},
    {.name = "kl_div",
     .shapes = {{3, 5}, {3, 5}},
     .op = [](const auto& x) { return kl_div(x[0], x[1], {.reduction = Reduction::batchmean}); },
     .slots = {},
     .low = 0.1,
     .high = 2},
    {.name = "kl_div of logarithms",
     .shapes = {{3, 5}, {3, 5}},
     .op = [](const auto& x) { return kl_div(x[0], x[1], {.log_target = true}); },
     .slots = {}},
    {.name = "dice_loss of classes",
     .shapes = {{2, 3, 3, 4}},
     .op =
         [](const auto& x) {
           return dice_loss(x[0], labels(x[0], {2, 3, 4}, 3, true));
         },
     .slots = dice_slots,
     .amplification = 8},
    {.name = "dice_loss of many classes, plain sizes",
     .shapes = {{3, 70, 2}},
     .op =
         [](const auto& x) {
           return dice_loss(x[0], labels(x[0], {3, 2}, 70), {.squared = false, .ignore_index = 3, .reduction = Reduction::sum});
         },
     .slots = dice_slots,
     .amplification = 8},
    {.name = "dice_loss of one pixel's probabilities",
     .shapes = {{4}},
     .op = [](const auto& x) { return dice_loss(x[0], labels(x[0], {}, 4), {.activation = Activation::none}); },
     .slots = dice_slots,
     .low = 0,
     .high = 1,
     .amplification = 8},
    {.name = "dice_loss of 2 classes",
     .shapes = {{2, 2, 256, 256}},
     .op =
         [](const auto& x) {
           return dice_loss(x[0], labels(x[0], {2, 256, 256}, 2));
         },
     .slots = dice_slots,
     .bench = true},
    {.name = "dice_loss of masks",
     .shapes = {{2, 3, 5}, {2, 3, 5}},
     .op =
         [](const auto& x) {
           return dice_loss(x[0], sigmoid(x[1]), {.activation = Activation::sigmoid, .smooth = 0.1, .squared = false, .reduction = Reduction::none});
         },
     .slots = {}},
    {.name = "focal_loss",
     .shapes = {{2, 3, 3, 4}},
     .op =
         [](const auto& x) {
           return focal_loss(x[0], labels(x[0], {2, 3, 4}, 3, true));
         },
     .slots = {}},
    {.name = "focal_loss, own gamma and alpha",
     .shapes = {{4, 3}},
     .op =
         [](const auto& x) {
           return focal_loss(x[0], labels(x[0], {4}, 3),
                             {.gamma = 1.5, .alpha = tensor({0.5, 2, 1}, {3}, x[0].dtype()).to(x[0].device()), .reduction = Reduction::none});
         },
     .slots = {}},
    {.name = "sigmoid_focal_loss",
     .shapes = {{3, 5}, {3, 5}},
     .op = [](const auto& x) { return sigmoid_focal_loss(x[0], sigmoid(x[1])); },
     .slots = {}},
    {.name = "cross_entropy of 2 classes",
     .shapes = {{2, 2, 256, 256}},
     .op =
         [](const auto& x) {
           return cross_entropy(x[0], labels(x[0], {2, 256, 256}, 2));
         },
     .slots = cross_entropy_slots,
     .bench = true},
    {.name = "cross_entropy of 21 classes",
     .shapes = {{2, 21, 256, 256}},
     .op =
         [](const auto& x) {
           return cross_entropy(x[0], labels(x[0], {2, 256, 256}, 21));
         },
     .slots = cross_entropy_slots,
     .bench = true},
};

}  // namespace tapetum::test
