#include <catch2/catch.hpp>
#include <cstring>

#include "tapetum.h"

namespace tapetum {
namespace {

using Names = std::vector<std::string>;

nn::Sequential small_net() {
  return nn::Sequential(nn::Conv2d(3, 4, 3, {.padding = 1}), nn::ReLU(), nn::Sequential(nn::Flatten(), nn::Linear(4 * 16, 2, {.bias = false})));
}

Names names_of(const nn::NamedTensors& named) {
  Names names;
  for (const auto& [name, t] : named) names.push_back(name);
  return names;
}

Names names_of(const StateDict& state) {
  Names names;
  for (const auto& [name, t] : state) names.push_back(name);
  return names;
}

// Every kind of member that a visitor knows.
struct Mixed : nn::Layer {
  nn::Parameter scale{full({2}, 1)};
  nn::Buffer offset{full({2}, 3)}, absent;
  std::optional<nn::Linear> none, some;
  std::vector<nn::Linear> list;
  Mixed() {
    some.emplace(2, 2);
    for (int i = 0; i < 2; ++i) list.emplace_back(2, 2, nn::LinearOptions{.bias = false});
  }
  void visit(nn::Visitor& v) override {
    v.parameter("scale", scale);
    v.buffer("offset", offset);
    v.buffer("absent", absent);
    v("none", none);
    v("some", some);
    v("list", list);
  }
  Tensor forward(const Tensor& x) override { return x * scale + offset; }
};

struct Scorer : nn::Callable<Scorer> {
  nn::Linear layer{2, 2};
  void visit(nn::Visitor& v) override { v("layer", layer); }
  Tensor forward(const Tensor& a, const Tensor& b, double weight) { return layer(a) + b * weight; }
};

bool same_values(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && !std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype()));
}

}  // namespace

TEST_CASE("module: names, moves and deep clones", "[smoke]") {
  auto net = small_net();
  net.add(nn::ReLU());
  auto moved = std::move(net);
  auto copy = nn::clone(moved);
  REQUIRE(names_of(copy.named_parameters()) == Names{"0.weight", "0.bias", "2.1.weight"});
  REQUIRE_FALSE(copy.parameters()[0].ref() == moved.parameters()[0].ref());
  REQUIRE(copy.parameters()[0].requires_grad());
  const Tensor x = rand({2, 3, 4, 4});
  REQUIRE(sum(copy(x)).item() == sum(moved(x)).item());
  copy.parameters()[0].mutable_data<float>()[0] += 1;
  REQUIRE_FALSE(same_values(copy.parameters()[0], moved.parameters()[0]));
}

TEST_CASE("module: optional, repeated and absent members") {
  Mixed m;
  REQUIRE(names_of(m.state_dict()) == Names{"scale", "offset", "some.weight", "some.bias", "list.0.weight", "list.1.weight"});
  REQUIRE(names_of(m.named_buffers()) == Names{"offset"});
  Names modules;
  for (const auto& [name, module] : m.named_modules()) modules.push_back(name + ":" + module->type_name());
  REQUIRE(modules == Names{":Mixed", "some:Linear", "list.0:Linear", "list.1:Linear"});
  auto copy = nn::clone(m);
  copy.offset.mutable_data<float>()[0] = 7;
  REQUIRE(m.offset.data<float>()[0] == 3);
}

TEST_CASE("module: lists and dictionaries own children of any class") {
  nn::ModuleDict<> heads;
  heads.add("mask", nn::Linear(2, 3));
  heads.add("box", nn::Sequential(nn::Linear(2, 4), nn::ReLU()));
  heads.add("mask", nn::Identity());
  REQUIRE(names_of(heads.state_dict()) == Names{"box.0.weight", "box.0.bias"});
  REQUIRE(heads.contains("mask"));
  REQUIRE_THROWS_WITH(heads["points"], Catch::Contains("no module 'points' among 2"));

  nn::ModuleList<nn::Linear> blocks;
  blocks.add(nn::Linear(2, 2));
  blocks.add(nn::Linear(2, 5));
  auto copy = nn::clone(blocks);
  REQUIRE(copy[1].weight.size(0) == 5);
  REQUIRE_THROWS_AS(blocks[2], Error);
}

TEST_CASE("module: train and eval reach every module") {
  auto net = small_net();
  net.eval();
  net.for_each([](nn::Module& m) { REQUIRE_FALSE(m.training); });
  REQUIRE_FALSE(nn::clone(net).training);
  net.train();
  net.for_each([](nn::Module& m) { REQUIRE(m.training); });
}

TEST_CASE("module: freezing keeps a parameter a parameter") {
  Mixed m;
  const auto before = names_of(m.named_parameters());
  m.freeze();
  REQUIRE(names_of(m.named_parameters()) == before);
  REQUIRE(names_of(m.named_buffers()) == Names{"offset"});
  for (const Tensor& p : m.parameters()) REQUIRE_FALSE(p.requires_grad());
  REQUIRE_FALSE(nn::clone(m).parameters()[0].requires_grad());
  m.unfreeze();
  for (const Tensor& p : m.parameters()) REQUIRE(p.requires_grad());
  REQUIRE_FALSE(m.offset.requires_grad());
}

TEST_CASE("module: tied parameters are listed once, saved under both names and stay tied in clones") {
  nn::Sequential net(nn::Linear(3, 3, {.bias = false}), nn::Linear(3, 3, {.bias = false}));
  const auto weight = [](nn::Sequential& n, size_t i) -> nn::Parameter& { return static_cast<nn::Linear&>(n[i]).weight; };
  weight(net, 1).tie(weight(net, 0));
  REQUIRE(net.parameters().size() == 1);
  REQUIRE(names_of(net.state_dict()) == Names{"0.weight", "1.weight"});
  auto copy = nn::clone(net);
  REQUIRE(copy.parameters().size() == 1);
  REQUIRE_FALSE(copy.parameters()[0].ref() == net.parameters()[0].ref());
  net.to(DType::f64);
  REQUIRE(weight(net, 0).raw() == weight(net, 1).raw());
}

TEST_CASE("module: to changes the data and keeps the handles, gradients included") {
  Mixed m;
  const Tensor scale = m.scale;
  sum(m(full({2}, 1))).backward();
  m.to(DType::f64);
  REQUIRE(scale.dtype() == DType::f64);
  REQUIRE(scale.grad().dtype() == DType::f64);
  REQUIRE(m.scale.ref() == scale.ref());
  REQUIRE(m.scale.requires_grad());
  REQUIRE(m.offset.dtype() == DType::f64);
  REQUIRE_THROWS_AS(m.to(DType::i32), DTypeError);
  m.zero_grad();
  REQUIRE_FALSE(scale.grad().defined());
}

TEST_CASE("module: load_state_dict copies values into the same tensors") {
  auto from = small_net(), to = small_net();
  to.to(DType::f64);
  const Tensor handle = to.parameters()[0];
  REQUIRE(to.load_state_dict(from.state_dict()).complete());
  REQUIRE(handle.dtype() == DType::f64);
  REQUIRE(handle.data<double>()[5] == static_cast<double>(from.parameters()[0].data<float>()[5]));
  REQUIRE(to.parameters()[0].ref() == handle.ref());
}

TEST_CASE("module: load_state_dict names every wrong key at once and changes nothing") {
  auto net = small_net();
  const Tensor before = nn::clone(net).parameters()[0];
  StateDict state;
  state.set("0.weight", full({4, 3, 3, 3}, 1));
  state.set("0.bias", full({5}, 1));
  state.set("head.weight", full({1}, 1));
  REQUIRE_THROWS_WITH(net.load_state_dict(state), Catch::Contains("Sequential") && Catch::Contains("1 missing: 2.1.weight") &&
                                                      Catch::Contains("1 unexpected: head.weight") &&
                                                      Catch::Contains("1 of another shape: 0.bias [5], expected [4]"));
  REQUIRE_THROWS_AS(net.load_state_dict(state, {.strict = false}), Error);
  REQUIRE(same_values(net.parameters()[0], before));

  state.set("0.bias", full({4}, 2));
  const auto report = net.load_state_dict(state, {.strict = false});
  REQUIRE(report.missing == Names{"2.1.weight"});
  REQUIRE(report.unexpected == Names{"head.weight"});
  REQUIRE(net.parameters()[1].data<float>()[3] == 2);
}

TEST_CASE("module: forward hooks see and change tensors until they are removed") {
  Mixed m;
  const Tensor x = full({2}, 1);
  auto before = m.register_forward_pre_hook([](nn::Module&, std::vector<Tensor>& inputs) { inputs[0] = inputs[0] * 10; });
  std::string seen;
  auto after = m.register_forward_hook([&](nn::Module& module, const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
    seen = module.type_name() + std::to_string(static_cast<int>(inputs[0].data<float>()[0]));
    outputs[0] = outputs[0] + 100;
  });
  REQUIRE(m(x).detach().data<float>()[0] == 113);
  REQUIRE(seen == "Mixed10");
  REQUIRE(nn::clone(m)(x).detach().data<float>()[0] == 4);
  after.remove();
  REQUIRE(m(x).detach().data<float>()[0] == 13);
  before.remove();
  before.remove();
  REQUIRE(m(x).detach().data<float>()[0] == 4);
}

TEST_CASE("module: hooks of a module with another signature see its tensors") {
  Scorer s;
  const Tensor a = rand({1, 2}), b = rand({1, 2});
  const double plain = sum(s(a, b, 2.0)).item();
  s.register_forward_pre_hook([](nn::Module&, std::vector<Tensor>& inputs) {
    REQUIRE(inputs.size() == 2);
    inputs[1] = inputs[1] * 0;
  });
  s.register_forward_hook([](nn::Module&, const std::vector<Tensor>&, std::vector<Tensor>& outputs) { outputs[0] = outputs[0] * 2; });
  const double hooked = sum(s(a, b, 2.0)).item();
  REQUIRE(hooked == Approx(2 * (plain - 2 * sum(b).item())));
}

TEST_CASE("module: a forward that throws leaves the module usable") {
  auto net = small_net();
  REQUIRE_THROWS_AS(net(rand({2, 5, 4, 4})), ShapeError);
  REQUIRE(net(rand({2, 3, 4, 4})).size(1) == 2);
}

}  // namespace tapetum
