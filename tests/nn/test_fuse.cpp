#include <catch2/catch.hpp>

#include "core/autograd/node.h"
#include "tapetum.h"

namespace tapetum {
namespace {

struct Fusion {
  explicit Fusion(bool on) : before(nn::fusion()) { nn::set_fusion(on); }
  ~Fusion() { nn::set_fusion(before); }
  bool before;
};

// The op that made t.
std::string maker(const Tensor& t) { return t.impl().grad_fn->name(); }

double greatest_difference(const Tensor& a, const Tensor& b) { return amax(abs(a.detach() - b.detach())).item(); }

Tensor images() { return rand({2, 4, 5, 5}, -1, 1).set_requires_grad(); }

struct Shifted : nn::ReLU {
  Tensor forward(const Tensor& x) override { return relu(x) + 1; }
};

template <class F> std::string maker_of(F run) {
  const Fusion on(true);
  return maker(run());
}

}  // namespace

TEST_CASE("fuse: a batch norm and the activation behind it are one op, in training and in evaluation") {
  const Tensor x = images();
  nn::Sequential a(nn::BatchNorm2d(4), nn::ReLU()), b(nn::Conv2d(4, 4, 1), nn::BatchNorm2d(4), nn::SiLU());
  REQUIRE(maker_of([&] { return a(x); }) == "batch_norm_act");
  REQUIRE(maker_of([&] { return b(x); }) == "batch_norm_act");
  a.eval();
  REQUIRE(maker_of([&] { return a(x); }) == "batch_norm_act_inference");
  nn::BatchNorm2d norm(4);
  REQUIRE(maker_of([&] { return nn::norm_act(norm, ConvActivation::relu, x); }) == "batch_norm_act");
}

TEST_CASE("fuse: layers run apart where somebody can see them apart") {
  const Tensor x = images();
  nn::Sequential net(nn::BatchNorm2d(4), nn::ReLU());
  const auto name = [&] { return maker_of([&] { return net(x); }); };
  {
    const Fusion off(false);
    REQUIRE(maker(net(x)) == "relu");
  }
  for (int i : {0, 1}) {
    int calls = 0;
    auto hook = net[i].register_forward_hook([&](nn::Module&, const std::vector<Tensor>&, std::vector<Tensor>&) { ++calls; });
    REQUIRE(name() == "relu");
    REQUIRE(calls == 1);
    hook.remove();
    REQUIRE(name() == "batch_norm_act");
  }
  {
    const DetectAnomaly anomaly;
    REQUIRE(name() == "relu");
  }
  nn::Sequential derived(nn::BatchNorm2d(4), Shifted());
  REQUIRE(maker_of([&] { return derived(x); }) == "affine");
  nn::Sequential other(nn::BatchNorm2d(4), nn::Sigmoid(), nn::ReLU());
  REQUIRE(maker_of([&] { return other(x); }) == "relu");
}

TEST_CASE("fuse: running statistics, counters and gradients are those of the layers apart, bit for bit for relu") {
  for (const std::optional<double> momentum : {std::optional(0.1), std::optional<double>()}) {
    nn::Sequential together(nn::BatchNorm2d(4, {.momentum = momentum}), nn::ReLU()), apart = nn::clone(together);
    for (int step = 0; step < 3; ++step) {
      const Tensor x = images(), other = x.detach().clone().set_requires_grad(), gy = rand(x.shape(), -1, 1);
      {
        const Fusion on(true);
        sum(together(x) * gy).backward();
      }
      const Fusion off(false);
      sum(apart(other) * gy).backward();
      REQUIRE(greatest_difference(x.grad(), other.grad()) == 0);
    }
    const StateDict expected = apart.state_dict();
    for (const auto& [key, t] : together.state_dict()) {
      INFO(key);
      REQUIRE(greatest_difference(to(t, DType::f64), to(expected.at(key), DType::f64)) == 0);
    }
    for (size_t i = 0; i < 2; ++i) REQUIRE(greatest_difference(together.parameters()[i].grad(), apart.parameters()[i].grad()) == 0);
  }
}

}  // namespace tapetum
