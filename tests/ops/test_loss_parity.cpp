// Losses and their gradients against PyTorch's, from tests/fixtures/losses.safetensors (made by make_losses.py beside it).
#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "tests/fixtures.h"
#include "tests/ops/parity.h"

namespace tapetum::test {
namespace {

// The fixture's inputs, floating-point ones in the dtype under test.
struct Inputs {
  const StateDict& file;
  DType dtype;
  Tensor operator()(const char* name) const {
    const Tensor t = file.at(name);
    return is_floating(t.dtype()) ? to(t, dtype) : t;
  }
};

struct Row {
  const char* name;
  const char* input;  // that the gradient is of
  std::function<Tensor(const Tensor& x, const Inputs& in, Reduction r)> loss;
  std::vector<Reduction> reductions = {Reduction::none, Reduction::sum, Reduction::mean};
};

const std::vector<Reduction> all_four = {Reduction::none, Reduction::sum, Reduction::mean, Reduction::batchmean};

Tensor clamped(const Tensor& labels) { return masked_fill(labels, labels < 0, 0); }

const std::vector<Row> rows = {
    {"cross_entropy", "logits", [](auto& x, auto& in, auto r) { return cross_entropy(x, in("labels"), {.reduction = r}); }},
    {"cross_entropy_weight", "logits",
     [](auto& x, auto& in, auto r) { return cross_entropy(x, in("labels"), {.weight = in("class_weight"), .reduction = r}); }},
    {"cross_entropy_smooth", "logits",
     [](auto& x, auto& in, auto r) {
       return cross_entropy(x, in("labels"), {.weight = in("class_weight"), .reduction = r, .label_smoothing = 0.1});
     }},
    {"cross_entropy_ignore", "logits",
     [](auto& x, auto& in, auto r) { return cross_entropy(x, clamped(in("labels")), {.ignore_index = 1, .reduction = r, .label_smoothing = 0.3}); }},
    {"cross_entropy_soft", "logits", [](auto& x, auto& in, auto r) { return cross_entropy(x, in("probabilities"), {.reduction = r}); }},
    {"cross_entropy_soft_all", "logits",
     [](auto& x, auto& in, auto r) {
       return cross_entropy(x, in("probabilities"), {.weight = in("class_weight"), .reduction = r, .label_smoothing = 0.1});
     }},
    {"nll_loss", "logits", [](auto& x, auto& in, auto r) { return nll_loss(x, in("labels"), {.reduction = r}); }},
    {"nll_loss_weight", "logits",
     [](auto& x, auto& in, auto r) { return nll_loss(x, clamped(in("labels")), {.weight = in("class_weight"), .ignore_index = 2, .reduction = r}); }},
    {"mse_loss", "x", [](auto& x, auto& in, auto r) { return mse_loss(x, in("y"), {.reduction = r}); }},
    {"l1_loss", "x", [](auto& x, auto& in, auto r) { return l1_loss(x, in("y"), {.reduction = r}); }},
    {"smooth_l1_loss", "x", [](auto& x, auto& in, auto r) { return smooth_l1_loss(x, in("y"), {.reduction = r}); }},
    {"smooth_l1_loss_beta", "x", [](auto& x, auto& in, auto r) { return smooth_l1_loss(x, in("y"), {.reduction = r, .beta = 2.5}); }},
    {"smooth_l1_loss_zero", "x", [](auto& x, auto& in, auto r) { return smooth_l1_loss(x, in("y"), {.reduction = r, .beta = 0}); }},
    {"huber_loss", "x", [](auto& x, auto& in, auto r) { return huber_loss(x, in("y"), {.reduction = r}); }},
    {"huber_loss_delta", "x", [](auto& x, auto& in, auto r) { return huber_loss(x, in("y"), {.reduction = r, .delta = 2.5}); }},
    {"binary_cross_entropy", "p", [](auto& x, auto& in, auto r) { return binary_cross_entropy(x, in("q"), {.reduction = r}); }},
    {"binary_cross_entropy_weight", "p",
     [](auto& x, auto& in, auto r) { return binary_cross_entropy(x, in("q"), {.weight = in("weight"), .reduction = r}); }},
    {"binary_cross_entropy_with_logits", "x",
     [](auto& x, auto& in, auto r) { return binary_cross_entropy_with_logits(x, in("q"), {.reduction = r}); }},
    {"binary_cross_entropy_with_logits_all", "x",
     [](auto& x, auto& in, auto r) {
       return binary_cross_entropy_with_logits(x, in("q"), {.weight = in("weight"), .reduction = r, .pos_weight = in("pos_weight")});
     }},
    {"kl_div", "log_p", [](auto& x, auto& in, auto r) { return kl_div(x, in("distribution"), {.reduction = r}); }, all_four},
    {"kl_div_log", "log_p", [](auto& x, auto& in, auto r) { return kl_div(x, in("log_q"), {.reduction = r, .log_target = true}); }, all_four},
    {"sigmoid_focal_loss", "y", [](auto& x, auto& in, auto) { return sigmoid_focal_loss(x, in("q")); }, {Reduction::none}},
    {"sigmoid_focal_loss_all",
     "y",
     [](auto& x, auto& in, auto) { return sigmoid_focal_loss(x, in("q"), {.alpha = 0.6, .gamma = 1.5}); },
     {Reduction::none}},
};

}  // namespace

TEST_CASE("losses: values and gradients are PyTorch's") {
  const StateDict file = load(fixture("losses.safetensors"));
  for (const Row& row : rows)
    for (Reduction r : row.reductions)
      for (DType dtype : {DType::f64, DType::f32}) {
        INFO(row.name << " " << name_of(r) << " " << tapetum::name_of(dtype));
        const Inputs in{file, dtype};
        const Tensor x = in(row.input).detach().set_requires_grad(), loss = row.loss(x, in, r);
        const Tensor gy = reshape(linspace(0.5, loss.numel() == 1 ? 0.5 : 1.5, loss.numel(), dtype), loss.shape());
        const auto key = std::string(row.name) + "." + name_of(r);
        REQUIRE(difference(loss.detach(), file.at(key + ".loss")) <= parity_tolerance(dtype));
        REQUIRE(difference(grad({loss}, {x}, {gy})[0], file.at(key + ".gx")) <= parity_tolerance(dtype));
      }
}

}  // namespace tapetum::test
