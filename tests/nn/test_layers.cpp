#include <catch2/catch.hpp>
#include <cmath>

#include "tapetum.h"

namespace tapetum {
namespace {

// Mean, deviation and greatest magnitude of many values.
struct Moments {
  double mean, deviation, greatest;
};
Moments moments(const Tensor& t) {
  const Tensor x = to(t.detach(), DType::f64);
  return {mean(x).item(), std(x).item(), amax(abs(x)).item()};
}

Tensor drawn(void (*init)(Tensor&)) {
  manual_seed(0);
  Tensor t = empty({64, 32, 3, 3});  // fans 288 and 576
  init(t);
  return t;
}

}  // namespace

TEST_CASE("init: deviations follow the formulas of torch.nn.init") {
  using namespace nn::init;
  const auto check = [](void (*init)(Tensor&), double deviation) {
    const Moments m = moments(drawn(init));
    REQUIRE(std::fabs(m.mean) < 0.02 * deviation);
    REQUIRE(m.deviation == Approx(deviation).epsilon(0.02));
  };
  check([](Tensor& t) { kaiming_uniform_(t, {.nonlinearity = Nonlinearity::relu}); }, std::sqrt(2.0 / 288));
  check([](Tensor& t) { kaiming_normal_(t, {.mode = FanMode::fan_out, .nonlinearity = Nonlinearity::relu}); }, std::sqrt(2.0 / 576));
  check([](Tensor& t) { kaiming_normal_(t, {.a = 1}); }, std::sqrt(1.0 / 288));
  check([](Tensor& t) { xavier_uniform_(t, 2); }, 2 * std::sqrt(2.0 / 864));
  check([](Tensor& t) { xavier_normal_(t); }, std::sqrt(2.0 / 864));
  check([](Tensor& t) { uniform_(t, -3, 3); }, std::sqrt(3.0));
  check([](Tensor& t) { normal_(t, 0, 0.5); }, 0.5);
  REQUIRE(moments(drawn([](Tensor& t) { trunc_normal_(t, {.std = 1, .a = -0.5, .b = 0.5}); })).greatest <= 0.5);
  REQUIRE(gain(Nonlinearity::tanh) == Approx(5.0 / 3));
  Tensor line = empty({3});
  REQUIRE_THROWS_AS(kaiming_uniform_(line), ShapeError);
}

TEST_CASE("init: constants and the identity") {
  Tensor m = empty({2, 3});
  nn::init::eye_(m);
  REQUIRE(sum(m).item() == 2);
  REQUIRE(m.data<float>()[4] == 1);
  nn::init::constant_(m, 2.5);
  REQUIRE(sum(m).item() == 15);
}

TEST_CASE("init: layers start from PyTorch's distributions") {
  manual_seed(1);
  nn::Conv2d conv(32, 64, 3);
  const double bound = 1 / std::sqrt(288.0);
  REQUIRE(moments(conv.weight).deviation == Approx(bound / std::sqrt(3.0)).epsilon(0.02));
  REQUIRE(moments(conv.weight).greatest <= bound);
  REQUIRE(moments(conv.bias).greatest <= bound);
  nn::Linear linear(100, 200);
  REQUIRE(moments(linear.weight).greatest == Approx(0.1).epsilon(0.01));
}

TEST_CASE("layers: activations and shapes are their functions") {
  const Tensor x = rand({2, 3, 4}, -5, 5);
  const auto same = [](const Tensor& a, const Tensor& b) { REQUIRE(amax(abs(a - b)).item() == 0); };
  same(nn::ReLU()(x), relu(x));
  same(nn::ReLU6()(x), relu6(x));
  same(nn::LeakyReLU(0.3)(x), leaky_relu(x, 0.3));
  same(nn::ELU(0.5)(x), elu(x, 0.5));
  same(nn::GELU(Gelu::tanh)(x), gelu(x, Gelu::tanh));
  same(nn::SiLU()(x), silu(x));
  same(nn::Mish()(x), mish(x));
  same(nn::Hardswish()(x), hardswish(x));
  same(nn::Hardsigmoid()(x), hardsigmoid(x));
  same(nn::Softplus(2)(x), softplus(x, 2));
  same(nn::Sigmoid()(x), sigmoid(x));
  same(nn::Tanh()(x), tanh(x));
  same(nn::Softmax(1)(x), softmax(x, 1));
  same(nn::LogSoftmax(-1)(x), log_softmax(x, -1));
  REQUIRE(nn::Flatten()(x).shape() == Shape{2, 12});
  REQUIRE(nn::Flatten(0, 1)(x).shape() == Shape{6, 4});
  REQUIRE(nn::Unflatten(2, {2, -1})(x).shape() == Shape{2, 3, 2, 2});
  REQUIRE(nn::Identity()(x).ref() == x.ref());
}

TEST_CASE("layers: dropout drops in training alone") {
  manual_seed(3);
  nn::Sequential net(nn::Dropout(0.25), nn::Dropout2d(0.5), nn::DropPath(0.5));
  const Tensor x = ones({8, 16, 4, 4});
  REQUIRE(count_nonzero(net(x)).item() < 8 * 16 * 16);
  net.eval();
  REQUIRE(net(x).ref() == x.ref());
}

}  // namespace tapetum
