#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>

#include "tapetum.h"

namespace tapetum {
namespace {

using optim::GradScaler, optim::Optimizer;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

Tensor start() {
  manual_seed(3);
  return rand({17}, -1, 1).set_requires_grad();
}

using Maker = std::function<std::unique_ptr<Optimizer>(const std::vector<Tensor>&)>;
template <class O, class Options> Maker maker(Options options) {
  return [=](const std::vector<Tensor>& p) { return std::make_unique<O>(p, options); };
}
const std::vector<std::pair<const char*, Maker>> optimizers = {
    {"SGD", maker<optim::SGD>(optim::SGDOptions{.lr = 0.1, .momentum = 0.9})},
    {"SGD without momentum", maker<optim::SGD>(optim::SGDOptions{.lr = 0.1})},
    {"Adam", maker<optim::Adam>(optim::AdamOptions{.lr = 0.1, .amsgrad = true})},
    {"AdamW", maker<optim::AdamW>(optim::AdamWOptions{.lr = 0.1})},
    {"NAdam", maker<optim::NAdam>(optim::NAdamOptions{.lr = 0.1})},
    {"RAdam", maker<optim::RAdam>(optim::RAdamOptions{.lr = 0.1})},
    {"RMSprop", maker<optim::RMSprop>(optim::RMSpropOptions{.lr = 0.1})},
    {"Adagrad", maker<optim::Adagrad>(optim::AdagradOptions{.lr = 0.1})},
    {"LAMB", maker<optim::LAMB>(optim::LAMBOptions{.lr = 0.1})},
    {"Lion", maker<optim::Lion>(optim::LionOptions{.lr = 0.1})},
};

Tensor loss_of(const Tensor& p) { return sum(square(p) * p); }

}  // namespace

TEST_CASE("grad scaler: a scale that is a power of two changes no bit of a step, of any optimizer") {
  for (const auto& [name, make] : optimizers) {
    INFO(name);
    Tensor plain = start(), scaled = start();
    const auto a = make({plain}), b = make({scaled});
    GradScaler scaler({.init_scale = 1024, .growth_interval = 2});
    for (int i = 0; i < 4; ++i) {
      a->zero_grad();
      loss_of(plain).backward();
      a->step();
      b->zero_grad();
      scaler.scale(loss_of(scaled)).backward();
      scaler.step(*b);
      scaler.update();
    }
    REQUIRE(same_bits(plain, scaled));
    REQUIRE(scaler.get_scale() == 4096);  // it has grown twice
  }
}

TEST_CASE("grad scaler: a gradient that is not finite leaves parameters, states and counts alone, and halves the scale") {
  for (const auto& [name, make] : optimizers)
    for (const double bad : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
      INFO(name);
      Tensor p = start(), other = start();
      const auto o = make({p, other});
      GradScaler scaler({.init_scale = 8});
      const auto step = [&](double factor) {
        o->zero_grad();
        scaler.scale(loss_of(p) + loss_of(other)).backward();
        p.grad().mul_(full({}, factor));
        scaler.step(*o);
        scaler.update();
      };
      step(1);
      const Tensor before = clone(p.detach()), other_before = clone(other.detach());
      StateDict states;
      for (const auto& [key, t] : o->state_dict()) states.set(key, clone(t));
      step(bad);
      REQUIRE(same_bits(p, before));
      REQUIRE(same_bits(other, other_before));
      for (const auto& [key, t] : o->state_dict()) {
        INFO(key);
        REQUIRE(same_bits(t, states.at(key)));
      }
      REQUIRE(scaler.get_scale() == 4);
      step(1);
      REQUIRE_FALSE(same_bits(p, before));
      REQUIRE(scaler.get_scale() == 4);
    }
}

TEST_CASE("grad scaler: the scale grows after growth_interval good steps in a row, which a bad one begins anew") {
  Tensor p = start();
  optim::SGD o({p}, {.lr = 0.01});
  GradScaler scaler({.init_scale = 2, .growth_factor = 4, .backoff_factor = 0.25, .growth_interval = 3});
  std::vector<double> scales;
  for (const bool bad : {false, false, true, false, false, false, false}) {
    o.zero_grad();
    scaler.scale(loss_of(p)).backward();
    if (bad) p.grad().mul_(full({}, std::numeric_limits<double>::infinity()));
    scaler.step(o);
    scaler.update();
    scales.push_back(scaler.get_scale());
  }
  REQUIRE(scales == std::vector<double>{2, 2, 0.5, 0.5, 0.5, 2, 2});
}

TEST_CASE("grad scaler: a scale beyond f32 is not grown into") {
  Tensor p = start();
  optim::SGD o({p}, {.lr = 0.01});
  const double large = std::ldexp(1.0, 127);
  GradScaler scaler({.init_scale = large, .growth_interval = 1});
  p.set_grad(zeros({17}));
  scaler.step(o);
  scaler.update();
  REQUIRE(scaler.get_scale() == large);
}

TEST_CASE("grad scaler: gradients can be clipped after unscale_") {
  Tensor plain = start(), scaled = start();
  optim::SGD a({plain}, {.lr = 0.1}), b({scaled}, {.lr = 0.1});
  loss_of(plain).backward();
  const double norm = optim::clip_grad_norm_({plain}, 0.5).item();
  a.step();
  GradScaler scaler({.init_scale = 256});
  scaler.scale(loss_of(scaled)).backward();
  scaler.unscale_(b);
  REQUIRE(optim::clip_grad_norm_({scaled}, 0.5).item() == norm);
  scaler.step(b);
  scaler.update();
  REQUIRE(same_bits(plain, scaled));
  REQUIRE(norm > 0.5);
}

TEST_CASE("grad scaler: two optimizers are judged apart, and share the scale") {
  Tensor p = start(), q = start();
  optim::SGD a({p}, {.lr = 0.1}), b({q}, {.lr = 0.1});
  const Tensor p_before = clone(p.detach()), q_before = clone(q.detach());
  GradScaler scaler({.init_scale = 16});
  scaler.scale(loss_of(p) + loss_of(q)).backward();
  p.grad().mul_(full({}, std::numeric_limits<double>::infinity()));
  scaler.step(a);
  scaler.step(b);
  scaler.update();
  REQUIRE(same_bits(p, p_before));
  REQUIRE_FALSE(same_bits(q, q_before));
  REQUIRE(scaler.get_scale() == 8);
}

TEST_CASE("grad scaler: Lookahead does not count a step that was left out") {
  Tensor p = start(), expected = start();
  optim::SGD a({p}, {.lr = 0.1}), b({expected}, {.lr = 0.1});
  optim::Lookahead skipping(a, {.k = 2}), plain(b, {.k = 2});
  GradScaler scaler({.init_scale = 8});
  for (const bool bad : {false, true, false, false}) {
    a.zero_grad();
    scaler.scale(loss_of(p)).backward();
    if (bad) p.grad().mul_(full({}, std::numeric_limits<double>::infinity()));
    scaler.step(skipping);
    scaler.update();
    if (bad) continue;
    b.zero_grad();
    loss_of(expected).backward();
    plain.step();
  }
  REQUIRE(same_bits(p, expected));
}

TEST_CASE("grad scaler: what is asked for in another order is refused") {
  Tensor p = start();
  optim::SGD o({p}, {.lr = 0.1});
  GradScaler scaler;
  REQUIRE_THROWS_WITH(scaler.update(), "GradScaler: update comes after a step");
  scaler.scale(loss_of(p)).backward();
  scaler.unscale_(o);
  REQUIRE_THROWS_WITH(scaler.unscale_(o), "GradScaler: unscale_ was called for this optimizer since the last update");
  scaler.step(o);
  REQUIRE_THROWS_WITH(scaler.unscale_(o), "GradScaler: unscale_ comes before step");
  REQUIRE_THROWS_WITH(scaler.step(o), "GradScaler: step was called for this optimizer since the last update");
  scaler.update();
  REQUIRE_THROWS_WITH(GradScaler({.backoff_factor = 2}), "GradScaler: backoff_factor = 2 is out of range");
}

TEST_CASE("grad scaler: its state goes into a file and back") {
  Tensor p = start();
  optim::SGD o({p}, {.lr = 0.01});
  GradScaler scaler({.init_scale = 32, .growth_interval = 3});
  for (int i = 0; i < 2; ++i) {
    o.zero_grad();
    scaler.scale(loss_of(p)).backward();
    scaler.step(o);
    scaler.update();
  }
  GradScaler resumed;
  resumed.load_state_dict(scaler.state_dict());
  REQUIRE(resumed.get_scale() == 32);
  o.zero_grad();
  resumed.scale(loss_of(p)).backward();
  resumed.step(o);
  resumed.update();
  REQUIRE(resumed.get_scale() == 64);
  StateDict lacking;
  lacking.set("scale", scalar_tensor(1));
  REQUIRE_THROWS_WITH(resumed.load_state_dict(lacking),
                      "GradScaler: the saved state lacks growth_tracker, growth_factor, backoff_factor, growth_interval");
  REQUIRE(resumed.get_scale() == 64);
}

TEST_CASE("grad scaler: switched off, it does nothing") {
  Tensor p = start(), plain = start();
  optim::Adam a({p}), b({plain});
  GradScaler off({.enabled = false});
  const Tensor loss = loss_of(p);
  REQUIRE(off.scale(loss).ref() == loss.ref());
  loss.backward();
  off.unscale_(a);
  off.step(a);
  off.update();
  loss_of(plain).backward();
  b.step();
  REQUIRE(same_bits(p, plain));
  REQUIRE(off.state_dict().size() == 0);
  REQUIRE(off.get_scale() == 1);
}

TEST_CASE("grad scaler: f16 that overflows in a backward pass costs one step") {
  manual_seed(1);
  Tensor w = rand({8, 8}, -1, 1).set_requires_grad();
  const Tensor x = rand({4, 8}, -1, 1), before = clone(w.detach());
  optim::SGD o({w}, {.lr = 0.1});
  GradScaler scaler({.init_scale = 65536.0 * 64});
  const auto step = [&] {
    o.zero_grad();
    Tensor loss;
    {
      Autocast amp(DeviceKind::cpu, DType::f16);
      loss = mse_loss(linear(x, w), ones({4, 8})) * 16;
    }
    scaler.scale(loss).backward();
    scaler.step(o);
    scaler.update();
    return loss.item();
  };
  int left_out = 0;
  double first = step();
  while (same_bits(w, before)) {
    ++left_out;
    step();
  }
  REQUIRE(left_out > 0);
  REQUIRE(scaler.get_scale() == std::ldexp(65536.0 * 64, -left_out - (left_out == 0)));
  REQUIRE(step() < first);
}

}  // namespace tapetum
