// A whole training step captured once: its replays change parameters, statistics, optimizer and averages as the step itself does, bit for bit.
#if defined(TAPETUM_WITH_CUDA)
#include <catch2/catch.hpp>
#include <cstring>

#include "models/unet.h"
#include "tapetum.h"

namespace tapetum {
namespace {

const Device gpu = DeviceKind::cuda;
constexpr int kWarmUp = 3, kReplays = 10;

// Everything that training leaves behind, by name.
using Left = std::vector<std::pair<std::string, Tensor>>;

template <class Optimizer, class Options, class Make>
Left train(Make make, const Options& options, const Shape& shape, const Shape& labels, bool by_graph) {
  manual_seed(5);
  auto model = make();
  model.to(gpu);
  Optimizer optimizer(model.parameters(), options);
  optim::CosineAnnealingLR schedule(optimizer, kWarmUp + kReplays, 1e-5);
  optim::Lookahead lookahead(optimizer, {.k = 3});
  optim::EMA average(model.parameters());
  Tensor x = empty(shape, DType::f32, gpu), y = zeros(labels, DType::i64, gpu), loss, norm;
  const auto step = [&] {
    optimizer.zero_grad();
    loss = cross_entropy(model(x), y);
    loss.backward();
    norm = optim::clip_grad_norm_(model.parameters(), 0.5);
    lookahead.step();
    average.update();
  };
  cuda::Graph graph;
  Left left;
  for (int i = 0; i < kWarmUp + kReplays; ++i) {
    copy_(x, rand(shape, -1, 1, DType::f32, gpu));  // between the steps' own random numbers
    copy_(y, to(rand(labels, 0, 3, DType::f32, gpu), DType::i64));
    if (by_graph && i == kWarmUp) graph.capture(step);
    by_graph&& i >= kWarmUp ? graph.replay() : step();
    schedule.step();
    left.emplace_back("loss " + std::to_string(i), clone(loss.detach()));
    left.emplace_back("norm " + std::to_string(i), clone(norm));
  }
  for (const auto& [name, t] : model.state_dict()) left.emplace_back(name, t.detach());
  for (const auto& [name, t] : optimizer.state_dict()) left.emplace_back(name, t);
  for (const auto& [name, t] : lookahead.state_dict()) left.emplace_back(name, t);
  for (const auto& [name, t] : average.state_dict()) left.emplace_back(name, t);
  for (auto& [name, t] : left) t = contiguous(to(t, DeviceKind::cpu));
  return left;
}

void check_same_bits(const Left& a, const Left& b) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    INFO(a[i].first);
    REQUIRE(a[i].first == b[i].first);
    REQUIRE(a[i].second.shape() == b[i].second.shape());
    REQUIRE(std::memcmp(a[i].second.raw(), b[i].second.raw(), static_cast<size_t>(a[i].second.numel()) * size_of(a[i].second.dtype())) == 0);
  }
}

template <class Optimizer, class Options, class Make> void check_replays(Make make, const Options& options, const Shape& x, const Shape& y) {
  const Left eager = train<Optimizer>(make, options, x, y, false);
  check_same_bits(train<Optimizer>(make, options, x, y, true), eager);
  REQUIRE(eager[0].second.item() != eager[2].second.item());
}

nn::Sequential mlp() { return nn::Sequential(nn::Linear(12, 24), nn::ReLU(), nn::Dropout(0.3), nn::Linear(24, 3)); }
struct Encoder : nn::Layer {
  nn::TransformerEncoderLayer layer{8, 2, {.dim_feedforward = 16, .dropout = 0.2}};
  nn::Linear out{8, 3};
  void visit(nn::Visitor& v) override {
    v("layer", layer);
    v("out", out);
  }
  Tensor forward(const Tensor& x) override { return out(mean(layer(x), {1})); }
};
models::UNet unet() { return models::UNet({.in_channels = 2, .classes = 3, .width = 4, .depth = 1}); }

}  // namespace

TEST_CASE("graph: replays of an MLP's step with dropout are the steps", "[emulated]") {
  check_replays<optim::Adam, optim::AdamOptions>(mlp, {.lr = 0.01, .amsgrad = true}, {7, 12}, {7});
  check_replays<optim::NAdam, optim::NAdamOptions>(mlp, {.lr = 0.01}, {7, 12}, {7});
  check_replays<optim::LAMB, optim::LAMBOptions>(mlp, {.lr = 0.01}, {7, 12}, {7});
  check_replays<optim::SGD, optim::SGDOptions>(mlp, {.lr = 0.1, .momentum = 0.9, .nesterov = true}, {7, 12}, {7});
}

TEST_CASE("graph: replays of a U-Net's step are the steps", "[emulated]") {
  check_replays<optim::AdamW, optim::AdamWOptions>(unet, {.lr = 0.01}, {2, 2, 8, 8}, {2, 8, 8});
}

TEST_CASE("graph: replays of a transformer's step, whose attention drops too, are the steps", "[emulated]") {
  check_replays<optim::RMSprop, optim::RMSpropOptions>([] { return Encoder(); }, {.lr = 0.01, .momentum = 0.5, .centered = true}, {2, 7, 8}, {2});
}

// What a step in f16 leaves behind: every fourth batch is too large for it, and its step is left out on the device alone.
static Left train_scaled(bool by_graph) {
  manual_seed(5);
  auto model = unet();
  model.to(gpu);
  optim::Adam optimizer(model.parameters(), {.lr = 0.01});
  optim::GradScaler scaler({.init_scale = 256, .growth_interval = 2});
  const Shape shape{2, 2, 8, 8};
  Tensor x = empty(shape, DType::f32, gpu), loss;
  const Tensor y = zeros({2, 8, 8}, DType::i64, gpu);
  const auto step = [&] {
    optimizer.zero_grad();
    {
      const Autocast amp(DeviceKind::cuda, DType::f16);
      loss = cross_entropy(to(model(x), DType::f32), y);
    }
    scaler.scale(loss).backward();
    scaler.unscale_(optimizer);
    optim::clip_grad_norm_(model.parameters(), 0.5);
    scaler.step(optimizer);
    scaler.update();
  };
  cuda::Graph graph;
  Left left;
  for (int i = 0; i < kWarmUp + kReplays; ++i) {
    copy_(x, rand(shape, -1, 1, DType::f32, gpu) * (i % 4 == 3 ? 1e6 : 1));
    if (by_graph && i == kWarmUp) graph.capture(step);
    by_graph&& i >= kWarmUp ? graph.replay() : step();
    left.emplace_back("scale " + std::to_string(i), tensor({scaler.get_scale()}));
  }
  for (const auto& [name, t] : model.state_dict()) left.emplace_back(name, t.detach());
  for (const auto& [name, t] : optimizer.state_dict()) left.emplace_back(name, t);
  for (auto& [name, t] : left) t = contiguous(to(t, DeviceKind::cpu));
  return left;
}

TEST_CASE("graph: replays of a step in mixed precision scale the loss, leave steps out and find the scale as the steps do", "[emulated]") {
  const Left eager = train_scaled(false);
  check_same_bits(train_scaled(true), eager);
  const auto scale = [&](int i) { return eager[static_cast<size_t>(i)].second.item(); };
  for (int i = 0; i < kWarmUp + kReplays; ++i) REQUIRE((i && scale(i) < scale(i - 1)) == (i % 4 == 3));
  REQUIRE(scale(1) > scale(0));
}

TEST_CASE("graph: a loss scale that was never used is still on the host, which the capture says", "[emulated]") {
  optim::GradScaler scaler;
  const Tensor loss = ones({}, DType::f32, gpu);
  cuda::Graph graph;
  REQUIRE_THROWS_WITH(graph.capture([&] { scaler.scale(loss); }), Catch::StartsWith("to: ") && Catch::EndsWith(", while a graph is captured"));
}

TEST_CASE("graph: the first step of an optimizer, and a new rate, belong before the capture", "[emulated]") {
  auto model = mlp();
  model.to(gpu);
  optim::Adam optimizer(model.parameters());
  const Tensor x = rand({2, 12}, 0, 1, DType::f32, gpu);
  const auto step = [&] {
    optimizer.zero_grad();
    sum(model(x)).backward();
    optimizer.step();
  };
  cuda::Graph graph;
  REQUIRE_THROWS_WITH(graph.capture(step), Catch::StartsWith("Adam: the first step makes the state"));
  step();
  graph.capture(step);
  graph.replay();
  REQUIRE_THROWS_WITH(graph.capture([&] {
    step();
    optimizer.set_lr(0.5);
  }),
                      Catch::StartsWith("lr: it is set between replays"));
  REQUIRE_THROWS_WITH(optimizer.set_momentum(0.5), "Adam: a captured step keeps its momentum 0.9, got 0.5");
  model.eval();
  REQUIRE(sum(model(x)).item() == sum(model(x)).item());  // nothing of it is left behind
}

}  // namespace tapetum
#endif
