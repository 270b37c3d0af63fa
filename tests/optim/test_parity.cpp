#include <catch2/catch.hpp>
#include <cmath>
#include <memory>

#include "tapetum.h"
#include "tests/fixtures.h"

namespace tapetum {
namespace {

const Tensor& recorded(const std::string& name) {
  static const StateDict all = load(test::fixture("optim.safetensors"));
  return all.at(name);
}

// Rates (and momenta) of 40 epochs beside PyTorch's.
template <class F> void check_schedule(const std::string& name, F make) {
  INFO(name);
  Tensor w = zeros({1}, DType::f64).set_requires_grad();
  optim::SGD optimizer({w}, {.lr = 0.1, .momentum = 0.9});
  auto schedule = make(optimizer);
  const Tensor& wanted = recorded("schedule." + name);
  for (int64_t epoch = 0; epoch < wanted.size(0); ++epoch) {
    INFO("epoch " << epoch);
    const double* row = wanted.data<double>() + epoch * (wanted.dim() == 2 ? 2 : 1);
    REQUIRE(optimizer.lr() == Approx(row[0]).epsilon(1e-12).margin(1e-16));
    if (wanted.dim() == 2) REQUIRE(optimizer.momentum() == Approx(row[1]).epsilon(1e-12));
    schedule.step();
  }
}

// The steps of make_optim.py's loss, every weight within 1e-12 of PyTorch's. start(parameters) makes an optimizer and returns its step.
template <class F> void check_steps(const std::string& name, F start, double clip = 0, double tolerance = 1e-12) {
  INFO(name);
  Tensor a = (recorded("start.0") * 1.0).set_requires_grad(), b = (recorded("start.1") * 1.0).set_requires_grad();
  auto step_optimizer = start(std::vector<Tensor>{a, b});
  const Tensor& wanted = recorded("trajectory." + name);
  for (int64_t step = 0; step < wanted.size(0); ++step) {
    INFO("step " << step);
    a.set_grad({});
    b.set_grad({});
    Tensor loss = sum(square(a * a) * 0.25 - a * 2.0);
    if (step % 3 != 2) loss = loss + sum(a * a) * sum(b * b) * 0.1;
    loss.backward();
    if (clip > 0) optim::clip_grad_norm_({a, b}, clip);
    step_optimizer();
    const Tensor now = cat({reshape(a.detach(), {-1}), b.detach()}), then = select(wanted, 0, step);
    for (int64_t i = 0; i < now.numel(); ++i)
      REQUIRE(now.data<double>()[i] == Approx(then.data<double>()[i]).epsilon(tolerance).margin(tolerance / 10));
  }
}

template <class F> void check_trajectory(const std::string& name, F make, double clip = 0) {
  check_steps(
      name, [&](const std::vector<Tensor>& p) { return [optimizer = make(p)]() mutable { optimizer.step(); }; }, clip);
}

}  // namespace

TEST_CASE("scheduler: rates equal PyTorch's") {
  using namespace optim;
  check_schedule("step", [](Optimizer& o) { return StepLR(o, 7, 0.3); });
  check_schedule("multi_step", [](Optimizer& o) { return MultiStepLR(o, {3, 11, 11, 20}, 0.5); });
  check_schedule("exponential", [](Optimizer& o) { return ExponentialLR(o, 0.9); });
  check_schedule("linear", [](Optimizer& o) { return LinearLR(o, {.start_factor = 0.1, .end_factor = 0.8, .total_iters = 12}); });
  check_schedule("cosine", [](Optimizer& o) { return CosineAnnealingLR(o, 15, 0.01); });
  check_schedule("warm_restarts", [](Optimizer& o) { return CosineAnnealingWarmRestarts(o, 5, {.t_mult = 2, .eta_min = 0.01}); });
  check_schedule("lambda", [](Optimizer& o) { return LambdaLR(o, [](int64_t epoch) { return 1 / (1 + static_cast<double>(epoch)); }); });
  check_schedule("sequential", [](Optimizer& o) {
    return SequentialLR(o, {5, 25}, LinearLR(o, {.start_factor = 0.1}), CosineAnnealingLR(o, 20), ExponentialLR(o, 0.8));
  });
  check_schedule("one_cycle", [](Optimizer& o) { return OneCycleLR(o, {.max_lr = 0.4, .total_steps = 40}); });
  check_schedule("one_cycle_three_phase", [](Optimizer& o) {
    return OneCycleLR(o, {.max_lr = 0.4, .total_steps = 40, .pct_start = 0.25, .cosine = false, .three_phase = true});
  });
}

TEST_CASE("scheduler: reductions on a plateau equal PyTorch's") {
  const auto check = [](const std::string& name, const optim::PlateauOptions& options) {
    Tensor w = zeros({1}, DType::f64).set_requires_grad();
    optim::SGD optimizer({w}, {.lr = 0.1});
    optim::ReduceLROnPlateau plateau(optimizer, options);
    const Tensor &metrics = recorded("plateau.metrics"), &wanted = recorded("plateau." + name);
    for (int64_t i = 0; i < metrics.numel(); ++i) {
      plateau.step(metrics.data<double>()[i]);
      INFO(name << ", epoch " << i);
      REQUIRE(optimizer.lr() == Approx(wanted.data<double>()[i]).epsilon(1e-12));
    }
  };
  check("default", {.patience = 2});
  check("options", {.maximize = true, .factor = 0.5, .patience = 1, .threshold = 0.05, .relative = false, .cooldown = 2, .min_lr = 0.02});
}

TEST_CASE("optim: 20 steps follow PyTorch's") {
  using namespace optim;
  using List = std::vector<Tensor>;
  check_trajectory("sgd", [](const List& p) { return SGD(p, {.lr = 0.01}); });
  check_trajectory("sgd_momentum", [](const List& p) { return SGD(p, {.lr = 0.01, .momentum = 0.9, .dampening = 0.3, .weight_decay = 0.1}); });
  check_trajectory("sgd_nesterov", [](const List& p) { return SGD(p, {.lr = 0.01, .momentum = 0.9, .nesterov = true}); });
  check_trajectory("adam", [](const List& p) { return Adam(p, {.lr = 0.01}); });
  check_trajectory("adam_amsgrad", [](const List& p) {
    return Adam(p, {.lr = 0.02, .betas = {0.8, 0.9}, .eps = 1e-3, .weight_decay = 0.1, .amsgrad = true});
  });
  check_trajectory("adamw", [](const List& p) { return AdamW(p, {.lr = 0.01}); });
  check_trajectory("adamw_amsgrad", [](const List& p) { return AdamW(p, {.lr = 0.01, .weight_decay = 0.3, .amsgrad = true}); });
  check_trajectory("rmsprop", [](const List& p) { return RMSprop(p, {.lr = 0.01}); });
  check_trajectory("rmsprop_momentum",
                   [](const List& p) { return RMSprop(p, {.lr = 0.01, .alpha = 0.9, .eps = 1e-3, .weight_decay = 0.1, .momentum = 0.8}); });
  check_trajectory("rmsprop_centered", [](const List& p) { return RMSprop(p, {.lr = 0.01, .momentum = 0.5, .centered = true}); });
  check_trajectory(
      "sgd_clipped", [](const List& p) { return SGD(p, {.lr = 0.01, .momentum = 0.9}); }, 0.5);
}

TEST_CASE("optim: 100 steps of Adam's relatives and Adagrad follow PyTorch's") {
  using namespace optim;
  using List = std::vector<Tensor>;
  check_trajectory("nadam", [](const List& p) { return NAdam(p, {.lr = 0.01}); });
  check_trajectory("nadam_decoupled", [](const List& p) {
    return NAdam(p, {.lr = 0.02, .betas = {0.8, 0.9}, .eps = 1e-3, .weight_decay = 0.1, .momentum_decay = 0.1, .decoupled_weight_decay = true});
  });
  check_trajectory("radam", [](const List& p) { return RAdam(p, {.lr = 0.01}); });
  check_trajectory("radam_decoupled", [](const List& p) {
    return RAdam(p, {.lr = 0.02, .betas = {0.8, 0.9}, .eps = 1e-3, .weight_decay = 0.1, .decoupled_weight_decay = true});
  });
  check_trajectory("adagrad", [](const List& p) { return Adagrad(p); });
  check_trajectory("adagrad_options", [](const List& p) {
    return Adagrad(p, {.lr = 0.1, .lr_decay = 0.05, .weight_decay = 0.1, .initial_accumulator_value = 0.5, .eps = 1e-3});
  });
}

TEST_CASE("optim: 100 steps of Lion, LAMB and Lookahead follow their plain definitions") {
  using namespace optim;
  using List = std::vector<Tensor>;
  check_trajectory("lion", [](const List& p) { return Lion(p, {.lr = 1e-3}); });
  check_trajectory("lion_decay", [](const List& p) { return Lion(p, {.lr = 0.01, .betas = {0.8, 0.9}, .weight_decay = 0.3}); });
  check_trajectory("lamb", [](const List& p) { return LAMB(p, {.lr = 0.01}); });
  check_trajectory("lamb_options", [](const List& p) { return LAMB(p, {.lr = 0.02, .betas = {0.8, 0.9}, .eps = 1e-3, .weight_decay = 0.1}); });
  const auto looking_ahead = [](auto optimizer, const LookaheadOptions& options) {
    auto inner = std::make_shared<decltype(optimizer)>(std::move(optimizer));
    return [inner, lookahead = Lookahead(*inner, options)]() mutable { lookahead.step(); };
  };
  check_steps("lookahead_sgd", [&](const List& p) { return looking_ahead(SGD(p, {.lr = 0.01, .momentum = 0.9}), {}); });
  check_steps("lookahead_adam", [&](const List& p) { return looking_ahead(Adam(p, {.lr = 0.02}), {.k = 3, .alpha = 0.5}); });
}

}  // namespace tapetum
