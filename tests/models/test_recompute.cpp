// Classifiers whose blocks are computed again in backward: the same training to the bit, in less memory.
#include <catch2/catch.hpp>

#include <cstring>

#include "core/memory.h"
#include "tapetum.h"

namespace tapetum {
namespace {

struct Trained {
  double loss;
  StateDict state;
};

Trained trained(const char* name, int64_t size, bool recompute) {
  manual_seed(3);
  auto model = models::create(name, {.classes = 3, .image_size = size});
  if (recompute) nn::recompute_blocks(*model);
  optim::SGD optimizer(model->parameters(), {.lr = 0.01, .momentum = 0.9});
  const Tensor x = rand({2, 3, size, size}), labels = to(tensor({0, 2}), DType::i64);
  double last = 0;
  for (int step = 0; step < 2; ++step) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy((*model)(x), labels);
    loss.backward();
    optimizer.step();
    last = loss.item();
  }
  return {last, model->state_dict()};
}

// Bytes at the peak of forward and backward beyond what was there before.
size_t peak_of(nn::Layer& model, bool recompute) {
  if (recompute) nn::recompute_blocks(model);
  model.zero_grad();
  const Tensor x = rand({2, 3, 96, 96});
  const size_t before = memory_allocated();
  reset_peak_memory();
  sum(model(x)).backward();
  return peak_memory() - before;
}

}  // namespace

TEST_CASE("recomputed blocks: losses, weights and running statistics are the same, of every family") {
  for (const auto& [name, size] : {std::pair("resnet18", 33),
                                   {"resnet50", 33},
                                   {"resnet20", 32},
                                   {"mobilenet_v2", 33},
                                   {"mobilenet_v3_small", 33},
                                   {"efficientnet_b0", 33},
                                   {"efficientnet_lite0", 33},
                                   {"squeezenet1_1", 33},
                                   {"simple_cnn", 32}}) {
    INFO(name);
    const Trained plain = trained(name, size, false), again = trained(name, size, true);
    REQUIRE(plain.loss == again.loss);
    for (const auto& [key, t] : plain.state) {
      INFO(key);
      const Tensor* other = again.state.find(key);
      REQUIRE(std::memcmp(t.raw(), other->raw(), static_cast<size_t>(t.numel()) * size_of(t.dtype())) == 0);
    }
  }
}

TEST_CASE("recomputed blocks: they take less memory, a row of convolutions too") {
  auto blocks = models::create("resnet20");
  nn::Sequential row;
  for (int64_t in = 3, out = 16; out <= 64; in = out, out *= 2) {
    for (const int64_t from : {in, out}) {
      row.add(nn::Conv2d(from, out, 3, {.padding = 1}));
      row.add(nn::BatchNorm2d(out));
      row.add(nn::ReLU());
    }
    row.add(nn::MaxPool2d(2));
  }
  for (nn::Layer* model : {static_cast<nn::Layer*>(&*blocks), static_cast<nn::Layer*>(&row)}) {
    const size_t plain = peak_of(*model, false), again = peak_of(*model, true);
    INFO(plain << " and " << again);
    CHECK(static_cast<double>(again) < 0.8 * static_cast<double>(plain));
  }
}

TEST_CASE("recomputed blocks: evaluation computes once, a copy is as its original, hooks run around a block") {
  auto model = models::create("resnet20", {.classes = 3});
  nn::recompute_blocks(*model);
  const auto copy = model;
  int calls = 0;
  for (auto& [name, module] : copy->named_modules())
    if (auto* block = dynamic_cast<nn::Block*>(module)) {
      REQUIRE(block->recomputed);
      block->register_forward_hook([&](nn::Module&, const std::vector<Tensor>&, std::vector<Tensor>&) { ++calls; });
    }
  const Tensor x = rand({2, 3, 16, 16});
  sum((*copy)(x)).backward();
  REQUIRE(calls == 9);
  copy->eval();
  REQUIRE((*copy)(x).requires_grad());
  REQUIRE(calls == 18);
}

TEST_CASE("recomputed blocks: a model without any says so") {
  nn::Sequential row(nn::Linear(3, 4), nn::ReLU());
  REQUIRE_THROWS_WITH(nn::recompute_blocks(row), "recompute_blocks: Sequential has neither blocks nor a Sequential with convolutions");
}

}  // namespace tapetum
