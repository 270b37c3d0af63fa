#include <catch2/catch.hpp>
#include <algorithm>

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

// The ops of one call, in their order.
template <class F> std::vector<std::string> ops_of(F run) {
  profiler::Profile profile;
  run();
  std::vector<std::string> names;
  for (const profiler::Event& e : profile.events())
    if (e.kind == profiler::Kind::op) names.push_back(e.name);
  return names;
}
template <class F> bool runs(const std::string& op, F run) {
  const Fusion on(true);
  const NoGrad off;
  const std::vector<std::string> names = ops_of(run);
  return std::find(names.begin(), names.end(), op) != names.end();
}

// A norm that has seen something, in evaluation.
template <class M> void settle(M& model, const Shape& shape, DType dtype = DType::f32) {
  NoGrad off;
  for (Tensor p : model.parameters()) copy_(p, rand(p.shape(), -1, 1, p.dtype()));
  for (int i = 0; i < 3; ++i) model(rand(shape, -1, 3));
  model.eval();
  model.to(dtype);
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

TEST_CASE("fuse: in evaluation a convolution, the norm behind it and its activation are one op, with the values of the layers apart") {
  const NoGrad off;
  nn::Sequential nets[] = {nn::Sequential(nn::Conv2d(4, 24, 3, {.padding = 1, .bias = false}), nn::BatchNorm2d(24), nn::ReLU()),
                           nn::Sequential(nn::Conv2d(4, 7, 3, {.stride = 2}), nn::BatchNorm2d(7, {.eps = 0.1}), nn::SiLU()),
                           nn::Sequential(nn::Conv2d(4, 4, 3, {.groups = 4}), nn::BatchNorm2d(4, {.affine = false})),
                           nn::Sequential(nn::Conv2dSame(4, 5, 3, {.stride = 2}), nn::BatchNorm2d(5), nn::Sigmoid(), nn::Conv2d(5, 2, 1))};
  for (nn::Sequential& net : nets)
    for (const auto& [dtype, tolerance] :
         {std::pair(DType::f32, 1e-6), std::pair(DType::f64, 1e-14), std::pair(DType::f16, 3e-3), std::pair(DType::bf16, 2e-2)}) {
      nn::Sequential model = nn::clone(net);
      settle(model, {2, 4, 9, 9}, dtype);
      const Tensor x = to(rand({2, 4, 9, 10}, -1, 3), dtype);
      REQUIRE(runs("conv2d_act", [&] { model(x); }));
      REQUIRE_FALSE(runs("batch_norm_inference", [&] { model(x); }));
      const Fusion on(true);
      const Tensor together = to(model(x), DType::f64);
      nn::set_fusion(false);
      const Tensor apart = model(x);
      INFO(name_of(dtype));
      REQUIRE(apart.dtype() == dtype);
      REQUIRE(greatest_difference(together, to(apart, DType::f64)) <= tolerance * amax(abs(to(apart, DType::f64))).item());
    }
}

TEST_CASE("fuse: a convolution and its norm run apart, to the same bits, where somebody can see them apart") {
  nn::Sequential net(nn::Conv2d(4, 6, 3), nn::BatchNorm2d(6), nn::ReLU());
  settle(net, {2, 4, 9, 9});
  const Tensor x = rand({2, 4, 9, 9}, -1, 3);
  const auto fuses = [&] { return runs("conv2d_act", [&] { net(x); }); };
  const Tensor apart = [&] {
    const Fusion none(false);
    NoGrad off;
    return net(x);
  }();
  REQUIRE(fuses());
  for (int i : {0, 1, 2}) {
    int calls = 0;
    auto hook = net[i].register_forward_hook([&](nn::Module&, const std::vector<Tensor>&, std::vector<Tensor>&) { ++calls; });
    REQUIRE(fuses() == (i == 2));  // the activation alone: the two before it are one op still
    REQUIRE(calls == 1);
    if (i < 2) REQUIRE(greatest_difference(net(x), apart) == 0);
    hook.remove();
    REQUIRE(fuses());
  }
  REQUIRE(maker_of([&] { return net(x); }) == "batch_norm_act_inference");  // a gradient is recorded
  for (Tensor p : net.parameters()) p.set_requires_grad(false);
  REQUIRE_FALSE(net(x).requires_grad());
  const std::vector<std::string> ops = ops_of([&] { net(x); });  // recording, but nothing to record
  REQUIRE(std::find(ops.begin(), ops.end(), "conv2d_act") != ops.end());
  {
    const DetectAnomaly anomaly;
    REQUIRE_FALSE(fuses());
  }
  net.train();
  REQUIRE_FALSE(fuses());
  nn::Sequential untracked(nn::Conv2d(4, 6, 3), nn::BatchNorm2d(6, {.track_running_stats = false}), nn::ReLU());
  untracked.eval();
  REQUIRE_FALSE(runs("conv2d_act", [&] { untracked(x); }));
  struct Doubled : nn::Conv2d {
    using Conv2d::Conv2d;
    Tensor forward(const Tensor& x) override { return 2 * Conv2d::forward(x); }
  };
  nn::Sequential derived(Doubled(4, 6, 3), nn::BatchNorm2d(6), nn::ReLU());
  derived.eval();
  REQUIRE_FALSE(runs("conv2d_act", [&] { derived(x); }));
}

TEST_CASE("fuse: a residual is added in the convolution, in its own type") {
  nn::Sequential parts(nn::Conv2d(4, 4, 3, {.padding = 1}), nn::BatchNorm2d(4));
  settle(parts, {2, 4, 9, 9});
  auto& conv = static_cast<nn::Conv2d&>(parts[0]);
  auto& norm = static_cast<nn::BatchNorm2d&>(parts[1]);
  const Tensor x = rand({2, 4, 9, 9}, -1, 3), residual = rand({2, 4, 9, 9}, -1, 3);
  const auto run = [&](const Tensor& added) { return nn::conv_norm_act(conv, norm, ConvActivation::relu, x, added); };
  REQUIRE(runs("conv2d_act", [&] { run(residual); }));
  const NoGrad off;
  const Fusion on(true);
  const Tensor together = run(residual);
  REQUIRE(greatest_difference(together, relu(norm(conv(x)) + residual)) <= 1e-6 * amax(together).item());
  const Autocast amp(DeviceKind::cpu, DType::bf16);
  REQUIRE(run(residual).dtype() == DType::f32);  // as bf16 + f32 is
  REQUIRE_FALSE(runs("conv2d_act", [&] { run(residual); }));
  REQUIRE(run(to(residual, DType::bf16)).dtype() == DType::bf16);
  REQUIRE(runs("conv2d_act", [&] { run(to(residual, DType::bf16)); }));
}

}  // namespace tapetum
