#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "tapetum.h"

namespace tapetum {
namespace {

Tensor leaf(std::initializer_list<double> values, DType dtype = DType::f64) { return tensor(values, dtype).set_requires_grad(); }

void add_gradient(Tensor& w, double factor = 1) { sum(w * w * factor).backward(); }

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && !std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype()));
}

Tensor copied(const Tensor& t) { return (t.detach() * 1).set_requires_grad(); }

template <class O> void step(O& optimizer, Tensor& w, int times) {
  for (int i = 0; i < times; ++i) {
    optimizer.zero_grad();
    add_gradient(w);
    optimizer.step();
  }
}

}  // namespace

TEST_CASE("optim: Adam's first step moves each weight by the learning rate") {
  Tensor w = leaf({1, 1, 1});
  optim::Adam adam({w}, {.lr = 0.1});
  step(adam, w, 1);
  REQUIRE(w.detach().data<double>()[0] == Approx(0.9));
}

TEST_CASE("optim: groups have their own options, parameters without a gradient stay") {
  Tensor a = leaf({1}), b = leaf({1}), c = leaf({1});
  optim::SGD sgd({{{a, c}, {.lr = 0.1}}, {{b}, {.lr = 0.2}}});
  add_gradient(a);
  add_gradient(b);
  sgd.step();
  REQUIRE(a.item() == Approx(0.8));
  REQUIRE(b.item() == Approx(0.6));
  REQUIRE(c.item() == 1);
  sgd.set_lr(0, 1);
  sgd.step();
  REQUIRE(a.item() == Approx(0.6));
  REQUIRE(b.item() == Approx(0.6));
  sgd.zero_grad();
  REQUIRE_FALSE(a.grad().defined());
}

TEST_CASE("optim: f32 and f64 parameters in one group, any layout, any gradient layout") {
  Tensor a = leaf({1, 2}, DType::f32), b = leaf({3, 4});
  Tensor image = channels_last(rand({1, 3, 4, 5})).detach().set_requires_grad();
  Tensor sliced = slice(full({4, 6}, 1), 1, 0, 6, 2).detach().set_requires_grad();
  const Tensor image_before = copied(image);
  optim::Adam adam({a, b, image, sliced}, {.lr = 0.5});
  (sum(a * a) + sum(contiguous(image)) + sum(sliced)).backward();
  sum(b * b).backward();
  adam.step();
  REQUIRE(a.detach().data<float>()[0] == Approx(0.5));
  REQUIRE(b.detach().data<double>()[1] == Approx(3.5));
  REQUIRE(amax(abs(image.detach() - (image_before.detach() - 0.5))).item() < 1e-6);
  REQUIRE(amax(abs(sliced.detach() - 0.5)).item() < 1e-6);
}

TEST_CASE("optim: what cannot be stepped is refused by name") {
  REQUIRE_THROWS_WITH(optim::SGD(std::vector<Tensor>{}), Catch::Contains("no parameters"));
  Tensor w = leaf({1});
  REQUIRE_THROWS_WITH(optim::SGD({w, w}), Catch::Contains("given twice"));
  REQUIRE_THROWS_WITH(optim::SGD({w}, {.lr = -1}), Catch::Contains("SGD: lr = -1"));
  REQUIRE_THROWS_AS(optim::SGD({w}, {.nesterov = true}), Error);
  REQUIRE_THROWS_WITH(optim::AdamW({w}, {.betas = {0.9, 1.0}}), Catch::Contains("AdamW: betas.1 = 1"));
  Tensor half = to(full({2}, 1), DType::bf16).detach().set_requires_grad();
  half.set_grad(half.detach());
  optim::Adam adam({half});
  REQUIRE_THROWS_AS(adam.step(), DTypeError);
  w.set_grad(full({2}, 1, DType::f64));
  optim::Adam other({w});
  REQUIRE_THROWS_WITH(other.step(), Catch::Contains("[1]") && Catch::Contains("[2]"));
  REQUIRE(w.item() == 1);
}

TEST_CASE("optim: a saved optimizer goes on with the same bits") {
  const auto check = [](auto make) {
    Tensor w = leaf({1, -2, 3}, DType::f32);
    auto optimizer = make(w);
    step(optimizer, w, 3);
    Tensor resumed = copied(w);
    auto other = make(resumed);
    other.load_state_dict(optimizer.state_dict());
    step(optimizer, w, 3);
    step(other, resumed, 3);
    REQUIRE(same_bits(w, resumed));
  };
  check([](const Tensor& w) { return optim::SGD({w}, {.lr = 0.01, .momentum = 0.9, .nesterov = true}); });
  check([](const Tensor& w) { return optim::Adam({w}, {.lr = 0.01, .amsgrad = true}); });
  check([](const Tensor& w) { return optim::AdamW({w}, {.lr = 0.01}); });
  check([](const Tensor& w) { return optim::RMSprop({w}, {.lr = 0.01, .momentum = 0.9, .centered = true}); });
  check([](const Tensor& w) { return optim::NAdam({w}, {.lr = 0.01}); });
  check([](const Tensor& w) { return optim::RAdam({w}, {.lr = 0.01, .betas = {0.9, 0.8}}); });
  check([](const Tensor& w) { return optim::Adagrad({w}, {.initial_accumulator_value = 0.1}); });
  check([](const Tensor& w) { return optim::Lion({w}); });
  check([](const Tensor& w) { return optim::LAMB({w}); });
}

TEST_CASE("optim: the options are saved, and a state that does not fit changes nothing") {
  Tensor w = leaf({1, 2});
  optim::Adam adam({w}, {.lr = 0.1});
  step(adam, w, 1);
  const StateDict state = adam.state_dict();
  for (const char* key : {"state.0.step", "state.0.exp_avg", "state.0.exp_avg_sq", "param_groups.0.lr", "param_groups.0.betas.1"})
    REQUIRE(state.contains(key));
  Tensor v = leaf({1, 2});
  optim::Adam other({v}, {.lr = 0.7, .amsgrad = true});
  REQUIRE_THROWS_WITH(other.load_state_dict(state), Catch::Contains("Adam") && Catch::Contains("state.0.max_exp_avg_sq"));
  REQUIRE(other.lr() == 0.7);
  Tensor longer = leaf({1, 2, 3});
  optim::Adam third({longer}, {.lr = 0.7});
  REQUIRE_THROWS_WITH(third.load_state_dict(state), Catch::Contains("state.0.exp_avg"));
  optim::Adam fourth({v}, {.lr = 0.7});
  fourth.load_state_dict(state);
  REQUIRE(fourth.lr() == 0.1);
}

TEST_CASE("optim: NAdam saves the product of its momenta, Adagrad begins with the accumulator's first value") {
  Tensor w = leaf({1, 2});
  optim::NAdam nadam({w});
  step(nadam, w, 2);
  const auto u = [](double t) { return 0.9 * (1 - 0.5 * std::pow(0.96, t * 4e-3)); };
  REQUIRE(nadam.state_dict().at("state.0.mu_product").item() == Approx(u(1) * u(2)).epsilon(1e-14));
  REQUIRE(nadam.state_dict().at("state.0.step").item() == 2);
  Tensor v = leaf({3});
  optim::Adagrad adagrad({v}, {.initial_accumulator_value = 0.5});
  step(adagrad, v, 1);
  REQUIRE(adagrad.state_dict().at("state.0.sum").item() == Approx(36.5));
}

TEST_CASE("optim: LAMB steps a parameter of zeros without scaling") {
  Tensor w = leaf({0, 0});
  w.set_grad(tensor({1, -3}, DType::f64));
  optim::LAMB lamb({w}, {.lr = 0.1, .eps = 0});
  lamb.step();
  REQUIRE(w.detach().data<double>()[0] == Approx(-0.1));
  REQUIRE(w.detach().data<double>()[1] == Approx(0.1));
}

TEST_CASE("optim: the options of each optimizer are checked by name") {
  Tensor w = leaf({1});
  REQUIRE_THROWS_WITH(optim::NAdam({w}, {.momentum_decay = -1}), Catch::Contains("NAdam: momentum_decay = -1"));
  REQUIRE_THROWS_WITH(optim::RAdam({w}, {.betas = {1, 0.9}}), Catch::Contains("RAdam: betas.0 = 1"));
  REQUIRE_THROWS_WITH(optim::Adagrad({w}, {.lr_decay = -1}), Catch::Contains("Adagrad: lr_decay = -1"));
  REQUIRE_THROWS_WITH(optim::Lion({w}, {.weight_decay = -1}), Catch::Contains("Lion: weight_decay = -1"));
  REQUIRE_THROWS_WITH(optim::LAMB({w}, {.eps = -1}), Catch::Contains("LAMB: eps = -1"));
  optim::SGD sgd({w});
  REQUIRE_THROWS_WITH(optim::Lookahead(sgd, {.k = 0}), Catch::Contains("Lookahead: k = 0"));
  REQUIRE_THROWS_WITH(optim::Lookahead(sgd, {.alpha = 2}), Catch::Contains("Lookahead: alpha = 2"));
}

TEST_CASE("lookahead: resumes with the same bits, and refuses what does not fit") {
  Tensor w = leaf({1, -2, 3}, DType::f32);
  optim::SGD sgd({w}, {.lr = 0.01});
  optim::Lookahead lookahead(sgd, {.k = 2});
  step(lookahead, w, 3);
  Tensor resumed = copied(w);
  optim::SGD other({resumed}, {.lr = 0.01});
  optim::Lookahead again(other, {.k = 2});
  again.load_state_dict(lookahead.state_dict());
  REQUIRE(same_bits(again.slow_weights()[0], lookahead.slow_weights()[0]));
  step(lookahead, w, 3);
  step(again, resumed, 3);
  REQUIRE(same_bits(w, resumed));
  REQUIRE(same_bits(w.detach(), lookahead.slow_weights()[0]));  // six steps of two
  REQUIRE_THROWS_WITH(again.load_state_dict(StateDict()), Catch::Contains("Lookahead") && Catch::Contains("slow.0"));
}

TEST_CASE("clip_grad_norm: gradients are scaled to the norm, shared and expanded ones too") {
  Tensor a = leaf({0, 0}), b = leaf({0, 0}), c = leaf({0});
  sum((a + b) * 3).backward();  // one gradient for both, from an expanded sum
  const Tensor norm = optim::clip_grad_norm_({a, b, c}, 1);
  REQUIRE(norm.item() == Approx(6));
  for (const Tensor& p : {a, b})
    for (int i = 0; i < 2; ++i) REQUIRE(p.grad().data<double>()[i] == Approx(0.5).epsilon(1e-6));
  REQUIRE(optim::clip_grad_norm_({a, b}, 10).item() == Approx(1));
  REQUIRE(a.grad().data<double>()[0] == Approx(0.5).epsilon(1e-6));
  REQUIRE(optim::clip_grad_norm_({c}, 1).item() == 0);
}

TEST_CASE("clip_grad_norm: a norm that is not finite is reported on demand, before anything changes") {
  Tensor a = leaf({1, 1});
  a.set_grad(tensor({1, INFINITY}, DType::f64));
  REQUIRE_THROWS_AS(optim::clip_grad_norm_({a}, 1, {.error_if_nonfinite = true}), Error);
  REQUIRE(a.grad().data<double>()[0] == 1);
}

TEST_CASE("clip_grad_value: elements are clamped") {
  Tensor a = leaf({1, 1, 1});
  a.set_grad(tensor({-5, 0.25, 7}, DType::f64));
  optim::clip_grad_value_({a}, 0.5);
  REQUIRE(a.grad().data<double>()[0] == -0.5);
  REQUIRE(a.grad().data<double>()[1] == 0.25);
  REQUIRE(a.grad().data<double>()[2] == 0.5);
}

TEST_CASE("ema: follows the formula, swaps, and resumes with the same bits") {
  Tensor w = leaf({1}), count = full({}, 0, DType::i64);
  optim::EMA ema({w, count}, {.decay = 0.5, .warm_up = false});
  fill_(count, 3);
  {
    NoGrad no_grad;
    fill_(w, 2);
  }
  ema.update();
  REQUIRE(ema.averages()[0].item() == Approx(1.5));
  REQUIRE(ema.averages()[1].item() == 3);
  ema.swap();
  REQUIRE(w.item() == Approx(1.5));
  ema.swap();
  REQUIRE(w.item() == 2);
  optim::EMA resumed({w, count}, {.decay = 0.5, .warm_up = false});
  resumed.load_state_dict(ema.state_dict());
  ema.update();
  resumed.update();
  REQUIRE(same_bits(ema.averages()[0], resumed.averages()[0]));
  REQUIRE_THROWS_AS(resumed.load_state_dict(StateDict()), Error);
}

TEST_CASE("ema: the decay warms up") {
  Tensor w = leaf({1});
  optim::EMA ema({w}, {.decay = 0.999});
  {
    NoGrad no_grad;
    fill_(w, 0);
  }
  ema.update();
  REQUIRE(ema.averages()[0].item() == Approx(2.0 / 11));
}

}  // namespace tapetum
