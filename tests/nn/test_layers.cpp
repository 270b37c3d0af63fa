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

TEST_CASE("layers: batch norm tracks statistics, or averages them when it has no momentum") {
  nn::BatchNorm2d exact(2, {.momentum = std::nullopt});
  const Tensor a = rand({4, 2, 3, 3}), b = rand({4, 2, 3, 3}, 5, 6);
  exact(a);
  exact(b);
  REQUIRE(exact.num_batches_tracked.item() == 2);
  const Tensor wanted = (mean(a, {0, 2, 3}) + mean(b, {0, 2, 3})) * 0.5;
  REQUIRE(amax(abs(exact.running_mean - wanted)).item() < 1e-5);
  exact.eval();
  REQUIRE(std::fabs(mean(exact(b)).item()) > 0.5);

  nn::BatchNorm2d untracked(2, {.affine = false, .track_running_stats = false});
  REQUIRE(untracked.state_dict().size() == 0);
  untracked.eval();
  REQUIRE(std::fabs(mean(untracked(b)).item()) < 1e-5);
  REQUIRE_THROWS_AS(untracked(rand({4, 2})), ShapeError);
}

TEST_CASE("layers: norms begin as plain normalisation, with PyTorch's parameters") {
  const Tensor x = rand({2, 6, 5, 4}, 3, 9);
  const auto centred = [](const Tensor& y) { return amax(abs(y)).item() < 1e-4; };
  REQUIRE(centred(mean(nn::LayerNorm(4)(x), {3})));
  REQUIRE(centred(mean(reshape(nn::GroupNorm(3, 6)(x), {2, 3, -1}), {2})));
  REQUIRE(centred(mean(nn::InstanceNorm2d(6)(x), {2, 3})));
  REQUIRE(nn::LayerNorm(4).parameters().size() == 2);
  REQUIRE(nn::GroupNorm(3, 6, {.affine = false}).parameters().empty());
  REQUIRE(nn::InstanceNorm2d(6).parameters().empty());
  REQUIRE_THROWS_AS(nn::GroupNorm(4, 6), ShapeError);
}

TEST_CASE("layers: norms work without weight, without bias, and over several dimensions") {
  const Tensor x = rand({2, 6, 5, 4}, 3, 9);
  const nn::LayerNorm whole({5, 4});
  REQUIRE(whole.weight.shape() == Shape{5, 4});
  REQUIRE(amax(abs(mean(nn::LayerNorm({5, 4})(x), {2, 3}))).item() < 1e-4);
  REQUIRE(amax(abs(nn::LayerNorm(4, {.affine = false})(x) - nn::LayerNorm(4)(x))).item() == 0);
  REQUIRE(nn::LayerNorm(4, {.bias = false}).state_dict().size() == 1);
  REQUIRE(nn::BatchNorm2d(6, {.track_running_stats = false, .bias = false}).state_dict().size() == 1);
  REQUIRE(nn::InstanceNorm2d(6, {}).parameters().size() == 2);
}

TEST_CASE("layers: convolutions take groups, dilation and same padding") {
  const Tensor x = rand({2, 4, 9, 7});
  nn::Conv2d same(4, 8, 3, {.padding = "same", .dilation = 2, .groups = 2});
  REQUIRE(same.weight.shape() == Shape{8, 2, 3, 3});
  REQUIRE(same(x).shape() == Shape{2, 8, 9, 7});
  nn::ConvTranspose2d up(4, 6, {2, 3}, {.stride = {2, 3}, .output_padding = {1, 0}, .groups = 2, .bias = false});
  REQUIRE(up.weight.shape() == Shape{4, 3, 2, 3});
  REQUIRE(up(x).shape() == Shape{2, 6, 19, 21});
  REQUIRE_THROWS_AS(nn::Conv2d(4, 6, 3, {.groups = 4}), ShapeError);
}

TEST_CASE("layers: pooling and resizing are their functions") {
  const Tensor x = rand({1, 4, 6, 6});
  REQUIRE(nn::MaxPool2d(2)(x).shape() == Shape{1, 4, 3, 3});
  REQUIRE(nn::MaxPool2d(3, {.stride = 1, .padding = 1})(x).shape() == Shape{1, 4, 6, 6});
  REQUIRE(nn::AvgPool2d(3)(x).shape() == Shape{1, 4, 2, 2});
  REQUIRE(nn::AdaptiveAvgPool2d(1)(x).shape() == Shape{1, 4, 1, 1});
  REQUIRE(nn::AdaptiveMaxPool2d({2, 5})(x).shape() == Shape{1, 4, 2, 5});
  REQUIRE(nn::Upsample({.scale_factor = 2, .mode = Interpolation::bilinear})(x).shape() == Shape{1, 4, 12, 12});
  REQUIRE(nn::PixelShuffle(2)(x).shape() == Shape{1, 1, 12, 12});
  REQUIRE(nn::PixelUnshuffle(2)(x).shape() == Shape{1, 16, 3, 3});
}

TEST_CASE("layers: borders are zeros, a value, mirrored or repeated") {
  const Tensor x = arange(6, DType::f32), image = reshape(x, {1, 1, 2, 3});
  const auto corner = [&](nn::Layer&& layer) { return layer(image).data<float>()[0]; };
  REQUIRE(nn::ZeroPad2d({1, 2, 0, 3})(image).shape() == Shape{1, 1, 5, 6});
  REQUIRE(corner(nn::ZeroPad2d(1)) == 0);
  REQUIRE(corner(nn::ConstantPad2d(2, 7)) == 7);
  REQUIRE(corner(nn::ReflectionPad2d(1)) == 4);
  REQUIRE(corner(nn::ReplicationPad2d({2, 0, 2, 0})) == 0);
}

TEST_CASE("layers: convolutions along lines have PyTorch's keys, shapes and first values") {
  manual_seed(1);
  nn::Conv1d conv(4, 6, 3, {.stride = 2, .padding = 1, .groups = 2});
  REQUIRE(conv.weight.shape() == Shape{6, 2, 3});
  REQUIRE(conv.state_dict().contains("weight"));
  REQUIRE(conv.state_dict().contains("bias"));
  REQUIRE(conv(rand({2, 4, 9})).shape() == Shape{2, 6, 5});
  REQUIRE(nn::Conv1d(4, 6, 4, {.padding = "same", .bias = false})(rand({4, 9})).shape() == Shape{6, 9});
  nn::ConvTranspose1d up(4, 6, 3, {.stride = 2, .output_padding = 1, .groups = 2});
  REQUIRE(up.weight.shape() == Shape{4, 3, 3});
  REQUIRE(up(rand({2, 4, 5})).shape() == Shape{2, 6, 12});
  REQUIRE(moments(nn::Conv1d(32, 64, 9).weight).greatest <= 1 / std::sqrt(288.0));
  REQUIRE_THROWS_AS(nn::Conv1d(4, 6, 3, {.groups = 4}), ShapeError);
}

TEST_CASE("layers: local response norm, pairwise distance, unfold and fold are their functions") {
  const Tensor x = rand({2, 5, 3, 4}), a = rand({3, 4}), b = rand({3, 4});
  REQUIRE(amax(abs(nn::LocalResponseNorm(3, {.alpha = 0.5})(x) - local_response_norm(x, 3, {.alpha = 0.5}))).item() == 0);
  REQUIRE(amax(abs(nn::PairwiseDistance({.p = 1})(a, b) - pairwise_distance(a, b, {.p = 1}))).item() == 0);
  REQUIRE(nn::LocalResponseNorm(3).parameters().empty());
  REQUIRE(nn::Unfold({3, 2}, {.padding = 1})(x).shape() == Shape{2, 30, 15});
  REQUIRE(nn::Fold({3, 4}, {3, 2}, {.padding = 1})(rand({2, 30, 15})).shape() == Shape{2, 5, 3, 4});
}

}  // namespace tapetum
