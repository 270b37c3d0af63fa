#pragma once
#include "core/autograd/modes.h"
#include "kernels/optimizer.h"
#include "tests/ops/case.h"

namespace tapetum::test {

// Three steps over a list of two parameters (x[0] with gradient x[1], x[2] with x[3]); all values and states in one row.
inline Tensor optimizer_steps(const std::vector<Tensor>& x, int states, const std::function<void(const std::vector<StepItem>&)>& step) {
  NoGrad no_grad;
  std::vector<StepItem> items;
  for (size_t i = 0; i < x.size(); i += 2) {
    StepItem item{x[i] * 1, x[i + 1], {}, to(tensor({0, 1}, DType::f64), x[i].device())};
    for (int j = 0; j < states; ++j) item.state[j] = x[i] * 0;
    items.push_back(item);
  }
  for (int i = 0; i < 3; ++i) step(items);
  std::vector<Tensor> all;
  for (const StepItem& item : items) {
    all.push_back(reshape(item.value, {-1}));
    for (int j = 0; j < states; ++j) all.push_back(reshape(item.state[j], {-1}));
  }
  return cat(all, 0);
}

inline Tensor rate(const Tensor& like) { return full({}, 0.1, DType::f64, like.device()); }

inline Case sgd_case(const char* name, const SgdStepOptions& options) {
  return {.name = name,
          .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
          .op =
              [=](const auto& x) {
                return optimizer_steps(x, options.momentum != 0, [&](const auto& items) { sgd_step_(items, rate(items[0].value), options); });
              },
          .slots = {&kernels::sgd_step},
          .flat = true};
}

// x without small gradients: of the little that g^2 adds to a mean square in one step, f16 would keep nothing.
inline std::vector<Tensor> with_large_gradients(std::vector<Tensor> x) {
  for (size_t i = 1; i < x.size(); i += 2) x[i] = where(abs(x[i]) < 0.25, full_like(x[i], 0.25), x[i]);
  return x;
}

inline Case adam_case(const char* name, const AdamStepOptions& options) {
  return {.name = name,
          .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
          .op =
              [=](const auto& x) {
                return optimizer_steps(with_large_gradients(x), options.amsgrad ? 3 : 2,
                                       [&](const auto& items) { adam_step_(items, rate(items[0].value), options); });
              },
          .slots = {&kernels::adam_step},
          .flat = true};
}

inline Case rmsprop_case(const char* name, const RmspropStepOptions& options) {
  const int states = options.centered ? 3 : options.momentum != 0 ? 2 : 1;
  return {.name = name,
          .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
          .op =
              [=](const auto& x) {
                return optimizer_steps(with_large_gradients(x), states,
                                       [&](const auto& items) { rmsprop_step_(items, rate(items[0].value), options); });
              },
          .slots = {&kernels::rmsprop_step},
          .flat = true};
}

inline Case adagrad_case(const char* name, const AdagradStepOptions& options) {
  return {.name = name,
          .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
          .op =
              [=](const auto& x) {
                return optimizer_steps(with_large_gradients(x), 1, [&](const auto& items) { adagrad_step_(items, rate(items[0].value), options); });
              },
          .slots = {&kernels::adagrad_step},
          .flat = true};
}

inline Case lion_case(const char* name, const LionStepOptions& options) {
  return {.name = name,
          .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
          .op = [=](const auto& x) { return optimizer_steps(x, 1, [&](const auto& items) { lion_step_(items, rate(items[0].value), options); }); },
          .slots = {&kernels::lion_step},
          .flat = true};
}

inline Case lamb_case(const char* name, const LambStepOptions& options, const std::vector<Shape>& shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}}) {
  return {.name = name,
          .shapes = shapes,
          .op =
              [=](const auto& x) {
                return optimizer_steps(with_large_gradients(x), 2, [&](const auto& items) { lamb_step_(items, rate(items[0].value), options); });
              },
          .slots = {&kernels::lamb_step},
          .flat = true};
}

// The fast weights move between the steps; the third one comes after a period of two.
inline Case lookahead_case(const char* name, const LookaheadStepOptions& options) {
  return {.name = name,
          .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
          .op =
              [=](const auto& x) {
                return optimizer_steps(x, 1, [&](const auto& items) {
                  for (const StepItem& item : items) Tensor(item.value).add_(item.source);
                  lookahead_step_(items, options);
                });
              },
          .slots = {&kernels::lookahead_step},
          .flat = true};
}

// Three steps, of which the second finds a gradient that is not finite.
template <class Options>
Case found_case(const char* name, const kernels::SlotBase& slot, int states,
                void (*step)(const std::vector<StepItem>&, const StepScalars&, const Options&), const Options& options) {
  return {.name = name,
          .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
          .op =
              [=](const auto& x) {
                int steps = 0;
                return optimizer_steps(with_large_gradients(x), states, [&](const auto& items) {
                  step(items, {rate(items[0].value), full({}, steps++ == 1, DType::f64, items[0].value.device())}, options);
                });
              },
          .slots = {&slot},
          .flat = true};
}

// A gradient of many blocks, and a small one; `bad` stands in the first.
inline Case unscale_case(const char* name, double bad) {
  return {.name = name,
          .shapes = {{70000}, {2, 3, 4, 5}},
          .op =
              [=](const auto& x) {
                NoGrad no_grad;
                const std::vector<Tensor> gradients{x[0] * 1, x[1] * 1};
                if (bad != 0 && x[0].numel() > 0) narrow(gradients[0], 0, x[0].numel() / 2, 1).fill_(bad);
                const Device device = x[0].device();
                const Tensor found = full({}, 0, DType::f64, device);
                unscale_(gradients, full({}, 8, DType::f64, device), found);
                const Tensor finite = where(isfinite(gradients[0]), gradients[0], 0);
                return cat({reshape(finite, {-1}), reshape(gradients[1], {-1}), to(reshape(found, {1}), x[0].dtype())}, 0);
              },
          .slots = {&kernels::unscale},
          .flat = true};
}

inline Case clip_case(const char* name, double limit, double p) {
  return {.name = name,
          .shapes = {{2, 3, 4, 5}, {70000}},
          .op =
              [=](const auto& x) {
                NoGrad no_grad;
                const std::vector<Tensor> gradients{x[0] * 1, x[1] * 1};
                const Tensor norm = clip_norm_(gradients, limit, p);
                return cat({reshape(gradients[0], {-1}), reshape(gradients[1], {-1}), to(reshape(norm, {1}), x[0].dtype())}, 0);
              },
          .slots = {&kernels::clip_norm},
          .flat = true};
}

inline const std::vector<Case> optimizer_cases = {
    sgd_case("sgd", {}),
    sgd_case("sgd momentum", {.momentum = 0.9, .dampening = 0.2, .weight_decay = 0.1}),
    sgd_case("sgd nesterov", {.momentum = 0.9, .nesterov = true}),
    {.name = "sgd many parameters",
     .shapes = std::vector<Shape>(2 * 130, Shape{3}),
     .op = [](const auto& x) { return optimizer_steps(x, 0, [&](const auto& items) { sgd_step_(items, rate(x[0]), {}); }); },
     .slots = {&kernels::sgd_step},
     .flat = true},
    adam_case("adam", {}),
    adam_case("adam options", {.beta1 = 0.8, .beta2 = 0.9, .eps = 1e-3, .weight_decay = 0.1, .amsgrad = true}),
    adam_case("adam decoupled", {.weight_decay = 0.1, .decoupled = true}),
    adam_case("nadam", {.rule = kernels::AdamRule::nadam}),
    adam_case("nadam options", {.beta1 = 0.8, .weight_decay = 0.1, .decoupled = true, .rule = kernels::AdamRule::nadam, .momentum_decay = 0.5}),
    adam_case("radam", {.rule = kernels::AdamRule::radam}),
    adam_case("radam rectified", {.beta2 = 0.8, .eps = 1e-3, .weight_decay = 0.1, .rule = kernels::AdamRule::radam}),
    adagrad_case("adagrad", {}),
    adagrad_case("adagrad options", {.lr_decay = 0.3, .weight_decay = 0.1, .eps = 1e-2}),
    lion_case("lion", {}),
    lion_case("lion options", {.beta1 = 0.7, .beta2 = 0.6, .weight_decay = 0.1}),
    lamb_case("lamb", {}),
    lamb_case("lamb options", {.beta1 = 0.8, .beta2 = 0.9, .eps = 1e-3, .weight_decay = 0.1}),
    lamb_case("lamb of several blocks", {.weight_decay = 0.01}, {{70000}, {70000}, {3}, {3}}),
    lookahead_case("lookahead", {.alpha = 0.5, .period = 2}),
    lookahead_case("lookahead idle", {}),
    rmsprop_case("rmsprop", {}),
    rmsprop_case("rmsprop momentum", {.alpha = 0.9, .eps = 1e-3, .weight_decay = 0.1, .momentum = 0.9}),
    rmsprop_case("rmsprop centered", {.eps = 1e-2, .momentum = 0.5, .centered = true}),
    {.name = "ema",
     .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
     .op = [](const auto& x) { return optimizer_steps(x, 0, [](const auto& items) { ema_step_(items, {.decay = 0.9}); }); },
     .slots = {&kernels::ema_step},
     .flat = true},
    {.name = "ema warm up",
     .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
     .op = [](const auto& x) { return optimizer_steps(x, 0, [](const auto& items) { ema_step_(items, {.decay = 0.9, .warm_up = true}); }); },
     .slots = {&kernels::ema_step},
     .flat = true},
    found_case<SgdStepOptions>("sgd found_inf", kernels::sgd_step, 1, sgd_step_, {.momentum = 0.9}),
    found_case<AdamStepOptions>("adam found_inf", kernels::adam_step, 2, adam_step_, {}),
    found_case<AdamStepOptions>("nadam found_inf", kernels::adam_step, 2, adam_step_, {.rule = kernels::AdamRule::nadam}),
    found_case<RmspropStepOptions>("rmsprop found_inf", kernels::rmsprop_step, 1, rmsprop_step_, {}),
    found_case<AdagradStepOptions>("adagrad found_inf", kernels::adagrad_step, 1, adagrad_step_, {}),
    found_case<LionStepOptions>("lion found_inf", kernels::lion_step, 1, lion_step_, {}),
    found_case<LambStepOptions>("lamb found_inf", kernels::lamb_step, 2, lamb_step_, {}),
    {.name = "lookahead found_inf",
     .shapes = {{2, 3, 4, 5}, {2, 3, 4, 5}, {37}, {37}},
     .op =
         [](const auto& x) {
           int steps = 0;
           return optimizer_steps(x, 1, [&](const auto& items) {
             for (const StepItem& item : items) Tensor(item.value).add_(item.source);
             lookahead_step_(items, {.period = 2}, full({}, steps++ == 1, DType::f64, x[0].device()));
           });
         },
     .slots = {&kernels::lookahead_step},
     .flat = true},
    unscale_case("unscale", 0),
    unscale_case("unscale infinity", std::numeric_limits<double>::infinity()),
    unscale_case("unscale NaN", std::numeric_limits<double>::quiet_NaN()),
    clip_case("clip_norm", 1, 2),
    clip_case("clip_norm within the limit", 1e6, 2),
    clip_case("clip_norm p = 1", 1, 1),
    clip_case("clip_norm p = 3", 1, 3),
    clip_case("clip_norm greatest", 0.5, std::numeric_limits<double>::infinity()),
    {.name = "adam of 65536",
     .shapes = {{1 << 16}, {1 << 16}},
     .op = [](const auto& x) { return optimizer_steps(x, 2, [](const auto& items) { adam_step_(items, rate(items[0].value), {}); }); },
     .slots = {&kernels::adam_step},
     .flat = true,
     .bench = true},
    {.name = "adam large",
     .shapes = {{1 << 22}, {1 << 22}},
     .op = [](const auto& x) { return optimizer_steps(x, 2, [](const auto& items) { adam_step_(items, rate(items[0].value), {}); }); },
     .slots = {&kernels::adam_step},
     .flat = true,
     .bench = true},
};

}  // namespace tapetum::test
