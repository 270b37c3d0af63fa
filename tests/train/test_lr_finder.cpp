#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>

#include "core/autograd/modes.h"
#include "core/engine/backward.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/loss.h"
#include "core/ops/random.h"
#include "core/ops/view.h"
#include "data/loader.h"
#include "data/synthetic_cells.h"
#include "nn/containers.h"
#include "nn/conv.h"
#include "nn/dropout.h"
#include "nn/norm.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "train/early_stopping.h"
#include "train/lr_finder.h"

namespace tapetum::train {
namespace {

void require_same_bits(const StateDict& a, const StateDict& b) {
  REQUIRE(a.size() == b.size());
  for (const auto& [name, t] : a) {
    INFO(name);
    const Tensor x = contiguous(t), y = contiguous(b.at(name));
    REQUIRE(x.shape() == y.shape());
    REQUIRE(std::memcmp(x.raw(), y.raw(), static_cast<size_t>(x.numel()) * size_of(x.dtype())) == 0);
  }
}

// w pulled towards zero: the loss w^2 is multiplied by (1 - 2 lr)^2 at each step, so it diverges above lr 1.
struct Bowl : nn::Layer {
  nn::Parameter w{full({1}, 3)};
  void visit(nn::Visitor& v) override { v.parameter("w", w); }
  Tensor forward(const Tensor& x) override { return x * w; }
};

const std::vector<Tensor> kBatches(4, full({2, 1}, 1));

}  // namespace

TEST_CASE("lr_finder: everything is afterwards what it was, bit for bit") {
  manual_seed(5);
  nn::Sequential model(nn::Conv2d(3, 8, 1), nn::BatchNorm2d(8), nn::Dropout(0.5), nn::Conv2d(8, 1, 1));
  model[2].eval();
  const Tensor x = randn({6, 3, 2, 2}), y = randn({6, 1, 2, 2});
  std::vector<Tensor> batches{x, x + 1};
  optim::Adam optimizer({{{model.parameters()[0]}, {.lr = 1e-3}}, {{model.parameters()[4], model.parameters()[5]}, {.lr = 1e-2}}});
  const auto step = [&](const Tensor& batch) {
    model.train();
    optimizer.zero_grad();
    const Tensor loss = mse_loss(model(batch), y);
    loss.backward();
    optimizer.step();
    return loss.detach();
  };
  for (bool trained : {false, true}) {  // an optimizer without state is one again
    if (trained) step(x), model[2].eval();
    const StateDict weights = deep_copy(model.state_dict()), state = deep_copy(optimizer.state_dict());
    const Tensor gradient = trained ? clone(model.parameters()[0].grad()) : Tensor();
    const GeneratorState random = random_state();
    const LrSweep sweep = find_lr(model, optimizer, batches, step, {.start = 1e-5, .end = 1e3, .steps = 30});
    CHECK(sweep.lr.size() > 5);
    require_same_bits(weights, model.state_dict());
    require_same_bits(state, optimizer.state_dict());
    CHECK(random_state().calls == random.calls);
    CHECK(model.training);
    CHECK_FALSE(model[2].training);
    CHECK(model.parameters()[0].grad().defined() == trained);
    if (trained) CHECK(std::memcmp(gradient.raw(), model.parameters()[0].grad().raw(), 24 * 4) == 0);
    CHECK_THROWS_AS(find_lr(model, optimizer, batches, [&](const Tensor& b) { return step(b), throw Error("x"), Tensor(); }), Error);
    require_same_bits(weights, model.state_dict());
    require_same_bits(state, optimizer.state_dict());
  }
}

TEST_CASE("lr_finder: the loader goes on with the batch that was next") {
  const auto make = [] { return data::DataLoader(data::SyntheticCells({.count = 6, .size = 16}), {.batch_size = 2, .shuffle = true, .seed = 4}); };
  auto loader = make(), untouched = make();
  loader.start(3, 1), untouched.start(3, 1);
  Bowl model;
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  find_lr(model, optimizer, loader, [](const auto&) { return scalar_tensor(1); }, {.steps = 5});
  const Tensor a = (*loader.begin()).image, b = (*untouched.begin()).image;
  CHECK(std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype())) == 0);
}

TEST_CASE("lr_finder: stops where the loss diverges, and suggests a rate below that") {
  Bowl model;
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  const auto step = [&](const Tensor& batch) {
    optimizer.zero_grad();
    const Tensor loss = mse_loss(model(batch), zeros({2, 1}));
    loss.backward();
    optimizer.step();
    return loss.detach();
  };
  auto batches = kBatches;
  const LrSweep sweep = find_lr(model, optimizer, batches, step, {.start = 1e-4, .end = 100, .steps = 120, .smoothing = 0.5});
  CHECK(sweep.diverged);
  CHECK(sweep.lr.front() == Approx(1e-4));
  CHECK(sweep.lr.back() > 1);
  CHECK(sweep.lr.back() < 20);
  CHECK(sweep.steepest > 1e-3);
  CHECK(sweep.steepest < 1);
  CHECK(sweep.minimum_tenth > 1e-3);
  CHECK(sweep.minimum_tenth < 1);
  CHECK(optimizer.lr() == 0.1);
}

TEST_CASE("lr_finder: groups keep the ratio of their rates") {
  Bowl a, b;
  optim::SGD optimizer({{a.parameters(), {.lr = 0.1}}, {b.parameters(), {.lr = 0.001}}});
  LrFinder finder(optimizer, {.start = 1, .end = 100, .steps = 3});
  std::vector<double> rates;
  while (!finder.done()) {
    finder.begin_step();
    rates.push_back(optimizer.lr(0));
    CHECK(optimizer.lr(1) == Approx(optimizer.lr(0) / 100));
    finder.end_step(1);
  }
  CHECK(rates.size() == 3);
  CHECK(rates[1] == Approx(10));
  CHECK(finder.result().lr == rates);
}

TEST_CASE("lr_finder: suggests the fastest fall and a tenth of the minimum, and nothing where the loss never falls") {
  Bowl model;
  optim::SGD optimizer(model.parameters(), {.lr = 1});
  const auto sweep = [&](std::vector<double> losses) {
    LrFinder finder(optimizer, {.start = 1, .end = 1e4, .steps = 5, .smoothing = 0});
    for (double v : losses)
      if (!finder.done()) finder.begin_step(), finder.end_step(v);
    return finder.result();
  };
  CHECK(sweep({5, 5, 3, 1, 2}).steepest == Approx(100));
  CHECK(sweep({5, 5, 3, 1, 2}).minimum_tenth == Approx(100));
  CHECK_FALSE(sweep({5, 5, 3, 1, 2}).diverged);
  CHECK(sweep({5, 4.5, 3, 9, 5}).steepest == Approx(10));  // the fall from 9 to 5 comes after the loss has begun to jump
  CHECK(sweep({5, 4, 30, 1, 1}).lr.size() == 3);
  CHECK(sweep({5, 4, 30, 1, 1}).diverged);
  CHECK(sweep({5, 4, NAN, 1}).lr.size() == 2);
  CHECK(sweep({5, 4, HUGE_VAL, 1}).diverged);
  CHECK(sweep({-5, -8, 17, 1}).lr.size() == 3);  // negative losses diverge by their distance
  for (const auto& never : {std::vector<double>{1, 1, 1, 1, 1}, {1, 2, 3, 4, 5}, {7}, {NAN}, {}}) {
    CHECK(std::isnan(sweep(never).steepest));
    CHECK(std::isnan(sweep(never).minimum_tenth));
  }
}

TEST_CASE("lr_finder: no batch, and options that make no sense") {
  Bowl model;
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  std::vector<Tensor> none;
  CHECK_THROWS_WITH(find_lr(model, optimizer, none, [](const Tensor& t) { return t; }), "find_lr: the loader has no batch");
  CHECK_THROWS_WITH(LrFinder(optimizer, {.start = 0}), "lr_finder: start must be a number above 0, got 0");
  CHECK_THROWS_AS(LrFinder(optimizer, {.start = 1, .end = 1}), Error);
  CHECK_THROWS_AS(LrFinder(optimizer, {.end = NAN}), Error);
  CHECK_THROWS_AS(LrFinder(optimizer, {.steps = 1}), Error);
  CHECK_THROWS_AS(LrFinder(optimizer, {.smoothing = 1}), Error);
  CHECK_THROWS_AS(LrFinder(optimizer, {.divergence = 1}), Error);
}

}  // namespace tapetum::train
