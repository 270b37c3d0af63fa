#include <catch2/catch.hpp>

#include "core/memory.h"
#include "tapetum.h"

namespace tapetum {
namespace {

void train_step(models::UNet& model, optim::Optimizer& optimizer, const Shape& shape) {
  optimizer.zero_grad();
  const Tensor y = model(rand(shape));
  mean(y * y).backward();
  optimizer.step();
}

}  // namespace

TEST_CASE("memory: 1,000 training steps of changing sizes return to the baseline") {
  models::UNet model({.in_channels = 1, .classes = 1, .width = 2, .depth = 1});
  optim::Adam optimizer(model.parameters());
  train_step(model, optimizer, {1, 1, 8, 8});
  optimizer.zero_grad();
  const size_t baseline = memory_allocated();
  for (int i = 0; i < 1000; ++i) train_step(model, optimizer, {1 + i % 2, 1, 6 + i % 5, 6 + i % 7});
  optimizer.zero_grad();
  REQUIRE(memory_allocated() == baseline);
}

TEST_CASE("memory: a model, its gradients and its optimizer give all memory back") {
  const size_t before = memory_allocated();
  {
    models::UNet model({.in_channels = 1, .classes = 1, .width = 2, .depth = 2});
    optim::Adam optimizer(model.parameters());
    optim::EMA ema(model.parameters());
    model.register_forward_hook([](nn::Module&, const std::vector<Tensor>&, std::vector<Tensor>&) {});
    train_step(model, optimizer, {1, 1, 9, 9});
    ema.update();
    const auto copy = nn::clone(model);
    REQUIRE(memory_allocated() > before);
  }
  REQUIRE(memory_allocated() == before);
}

TEST_CASE("memory: an exception in the middle of a step leaves nothing behind") {
  models::UNet model({.in_channels = 1, .classes = 1, .width = 2, .depth = 1});
  const size_t before = memory_allocated();
  auto hook = model.out.register_forward_pre_hook([](nn::Module&, std::vector<Tensor>&) { throw Error("stop"); });
  REQUIRE_THROWS_AS(model(rand({1, 1, 8, 8})), Error);
  hook.remove();
  REQUIRE(memory_allocated() == before);
}

}  // namespace tapetum
