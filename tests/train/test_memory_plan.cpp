// A plan against what a real step takes, in the allocator's own counters.
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>

#include "core/memory.h"
#include "tapetum.h"

namespace tapetum {
namespace {

using Make = std::function<std::shared_ptr<nn::Layer>()>;

Make named(const char* name) {
  return [name] {
    const auto box = std::make_shared<nn::Box<models::Classifier>>(models::create(name, {.classes = 10}));
    return std::shared_ptr<nn::Layer>(box, &**box);
  };
}
Make unet(const models::UNetOptions& options) {
  return [options] { return std::make_shared<models::UNet>(options); };
}

struct Case {
  const char* name;
  Make make;
  Shape input;
};

std::vector<Case> cases() {
  return {{"unet of width 16", unet({.width = 16}), {4, 3, 96, 96}},
          {"unet of width 64", unet({.width = 64}), {1, 3, 64, 96}},
          {"unet with checkpoints", unet({.width = 16, .checkpoint = true}), {2, 3, 128, 128}},
          {"resnet18", named("resnet18"), {4, 3, 96, 96}},
          {"simple_cnn", named("simple_cnn"), {32, 3, 32, 32}},
          {"vit",
           [] { return std::make_shared<models::ViT>(models::ViTOptions{.image_size = 64, .dim = 384, .depth = 12, .heads = 6, .mlp_dim = 1536}); },
           {4, 3, 64, 64}}};
}

// Of the second step, as the plan has it. Blocks that others have left may be greater than what is asked for: they are given back first.
size_t peak_of_training(const Case& c) {
  release_memory();
  const size_t before = memory_allocated();
  const auto model = c.make();
  optim::Adam optimizer(model->parameters());
  const Tensor x = rand(c.input);
  for (int step = 0; step < 2; ++step) {
    optimizer.zero_grad();
    reset_peak_memory();
    sum((*model)(x)).backward();
    optimizer.step();
  }
  return peak_memory() - before;
}

size_t peak_of_inference(const Case& c) {
  release_memory();
  const size_t before = memory_allocated();
  const auto model = c.make();
  const Tensor x = rand(c.input);
  const NoGrad no_grad;
  model->eval();
  reset_peak_memory();
  (*model)(x);
  return peak_memory() - before;
}

double ratio(size_t plan, size_t measured) { return static_cast<double>(plan) / static_cast<double>(measured); }

}  // namespace

TEST_CASE("memory plan: within a tenth of what a training step takes") {
  for (const Case& c : cases()) {
    INFO(c.name);
    const auto model = c.make();
    const auto plan = train::memory_plan(*model, c.input);
    INFO(to_string(plan));
    REQUIRE(ratio(plan.peak, peak_of_training(c)) == Approx(1).margin(0.1));
    REQUIRE(plan.peak == plan.parameters + plan.optimizer + plan.input + plan.activations + plan.workspace);
  }
}

TEST_CASE("memory plan: within a tenth of what a call without gradients takes") {
  for (const Case& c : cases()) {
    INFO(c.name);
    const auto model = c.make();
    const auto plan = train::memory_plan(*model, c.input, {.training = false});
    INFO(to_string(plan));
    REQUIRE(ratio(plan.peak, peak_of_inference(c)) == Approx(1).margin(0.1));
    REQUIRE(plan.optimizer == 0);
    REQUIRE(plan.gradients == 0);
  }
}

TEST_CASE("memory plan: takes no memory and little time, and leaves the model as it is") {
  const nn::init::Skip skip;
  models::UNet model({.width = 64});
  model.eval();
  model.out.bias.set_grad(ones({2}));
  const Tensor weight = model.out.weight.detach();
  const GeneratorState random = random_state();
  const size_t before = memory_allocated();
  reset_peak_memory();
  const auto start = std::chrono::steady_clock::now();
  const auto plan = train::memory_plan(model, {2, 3, 256, 256});
  REQUIRE(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < 1);
  REQUIRE(peak_memory() - before < 1'000'000);  // step counts and rates are on the host
  REQUIRE(memory_allocated() == before);
  REQUIRE(plan.peak > 800'000'000);
  REQUIRE(plan.gradients >= static_cast<size_t>(model.parameter_count()) * 4);
  REQUIRE_FALSE(model.training);
  REQUIRE(model.out.bias.grad().data<float>()[0] == 1);
  REQUIRE(model.out.weight.raw() == weight.raw());
  REQUIRE(model.out.weight.device() == Device());
  REQUIRE(random_state().calls == random.calls);
  REQUIRE(memory_allocated(DeviceKind::meta) == 0);
}

TEST_CASE("memory plan: a loss and an optimizer of one's own; what is frozen has neither gradients nor state") {
  auto model = models::create("simple_cnn");
  const auto sgd = [](const std::vector<Tensor>& parameters) { return std::make_unique<optim::SGD>(parameters, optim::SGDOptions{.lr = 0.1}); };
  const Tensor labels = empty({8}, DType::i64, DeviceKind::meta);
  const auto adam = train::memory_plan(*model, {8, 3, 32, 32});
  const auto plain =
      train::memory_plan(*model, {8, 3, 32, 32}, {.loss = [&](const Tensor& y) { return cross_entropy(y, labels); }, .optimizer = sgd});
  REQUIRE(plain.optimizer < adam.optimizer / 100);
  REQUIRE(plain.gradients > plain.parameters / 2);
  model->freeze();
  model->parameters().back().set_requires_grad();
  REQUIRE(train::memory_plan(*model, {8, 3, 32, 32}).gradients < plain.gradients / 100);
}

TEST_CASE("memory plan: a model that asks for values is refused, and left as it was") {
  struct Curious : nn::Layer {
    nn::Linear linear{4, 4};
    void visit(nn::Visitor& v) override { v("linear", linear); }
    Tensor forward(const Tensor& x) override { return sum(x).item() > 0 ? linear(x) : x; }
  } model;
  REQUIRE_THROWS_WITH(train::memory_plan(model, {2, 4}), Catch::Contains("item"));
  REQUIRE(model.linear.weight.device() == Device());
  REQUIRE(memory_allocated(DeviceKind::meta) == 0);
}

}  // namespace tapetum
