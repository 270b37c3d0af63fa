#include <catch2/catch.hpp>
#include <cmath>

#include "tapetum.h"
#include "tests/fixtures.h"

namespace tapetum {
namespace {

void near(const Tensor& a, const Tensor& exact) {
  REQUIRE(a.shape() == exact.shape());
  REQUIRE(amax(abs(a - exact)).item() < 1e-12);
}

// Value and gradients of a module with the state NAME.state.* against PyTorch's (tests/fixtures/make_attention.py).
template <class M, class F> void check_module(const std::string& name, M module, size_t inputs, F f) {
  INFO(name);
  const StateDict file = load(test::fixture("attention.safetensors"));
  const std::string prefix = name + ".state.";
  StateDict state;
  for (const auto& [key, tensor] : file)
    if (key.starts_with(prefix)) state.set(key.substr(prefix.size()), tensor);
  module.to(DType::f64);
  module.load_state_dict(state);
  std::vector<Tensor> x;
  for (size_t i = 0; i < inputs; ++i) x.push_back(file.at(name + ".x" + std::to_string(i)).detach().set_requires_grad());
  const Tensor y = f(module, x, file);
  near(y.detach(), file.at(name + ".y"));
  backward(y, file.at(name + ".gy"));
  for (size_t i = 0; i < inputs; ++i) near(x[i].grad(), file.at(name + ".g" + std::to_string(i)));
  for (auto& [key, parameter] : module.named_parameters()) {
    INFO(key);
    near(parameter.grad(), file.at(name + ".grad." + key));
  }
}

}  // namespace

TEST_CASE("MultiheadAttention: values, gradients and keys are PyTorch's") {
  check_module("mha", nn::MultiheadAttention(8, 4), 1, [](auto& m, auto& x, auto&) { return m(x[0], x[0], x[0]); });
  check_module("mha_cross", nn::MultiheadAttention(8, 4), 3, [](auto& m, auto& x, auto& file) {
    return m(x[0], x[1], x[2], nn::AttentionMasks{.attn_mask = file.at("blocked"), .key_padding_mask = file.at("padding")});
  });
  check_module("mha_added", nn::MultiheadAttention(8, 4), 2,
               [](auto& m, auto& x, auto& file) { return m(x[0], x[1], x[1], nn::AttentionMasks{.attn_mask = file.at("added")}); });
}

TEST_CASE("TransformerEncoderLayer: both orders of norm are PyTorch's") {
  const auto padded = [](auto& m, auto& x, auto& file) { return m.forward(x[0], {.key_padding_mask = file.at("padding")}); };
  check_module("encoder_post", nn::TransformerEncoderLayer(8, 2, {.dim_feedforward = 12, .dropout = 0}), 1, padded);
  check_module(
      "encoder_pre",
      nn::TransformerEncoderLayer(8, 2, {.dim_feedforward = 12, .dropout = 0, .activation = nn::TransformerActivation::gelu, .norm_first = true}), 1,
      padded);
}

TEST_CASE("MultiheadAttention: one sequence, or the batch second, is the same") {
  nn::MultiheadAttention m(6, 2), second(6, 2, {.batch_first = false});
  second.load_state_dict(m.state_dict());
  const Tensor x = rand({3, 5, 6}), key = rand({3, 4, 6}), y = m(x, key, key);
  const auto same = [](const Tensor& a, const Tensor& b) { REQUIRE(amax(abs(a - b)).item() < 1e-6); };
  same(m(select(x, 0, 1), select(key, 0, 1), select(key, 0, 1)), select(y, 0, 1));
  same(transpose(second(transpose(x, 0, 1), transpose(key, 0, 1), transpose(key, 0, 1)), 0, 1), y);
}

TEST_CASE("MultiheadAttention: weights are a distribution over the keys that take part") {
  nn::MultiheadAttention m(6, 2);
  const Tensor padding = tensor({0, 1, 0, 1}, {1, 4}) > 0;
  const Tensor w = m.weights(rand({1, 3, 6}), rand({1, 4, 6}), {.key_padding_mask = padding});
  REQUIRE(w.shape() == Shape{1, 3, 4});
  REQUIRE(amax(abs(sum(w, {2}) - 1)).item() < 1e-6);
  REQUIRE(amax(select(w, 2, 1)).item() == 0);
  const Tensor causal = m.weights(rand({4, 6}), rand({4, 6}), {.is_causal = true});
  REQUIRE(amax(triu(causal, 1)).item() == 0);
}

TEST_CASE("MultiheadAttention: a sequence that is all padding gets the bias of the last map") {
  nn::MultiheadAttention m(4, 2);
  const Tensor y = m(rand({1, 3, 4}), rand({1, 2, 4}), rand({1, 2, 4}), nn::AttentionMasks{.key_padding_mask = ones({1, 2}, DType::boolean)});
  REQUIRE(amax(abs(y)).item() == 0);
}

TEST_CASE("MultiheadAttention: dropout in training only; initial values and mistakes") {
  manual_seed(1);
  nn::MultiheadAttention m(32, 4, {.dropout = 0.5});
  const Tensor x = rand({2, 5, 32});
  REQUIRE(amax(abs(m(x, x, x) - m(x, x, x))).item() > 0);
  m.eval();
  REQUIRE(amax(abs(m(x, x, x) - m(x, x, x))).item() == 0);
  REQUIRE(amax(abs(m.in_proj_weight)).item() <= std::sqrt(6.0 / (32 + 96)));
  REQUIRE(amax(abs(m.in_proj_bias)).item() == 0);
  REQUIRE(amax(abs(m.out_proj.bias)).item() == 0);
  REQUIRE(nn::MultiheadAttention(6, 3, {.bias = false}).state_dict().size() == 2);
  REQUIRE_THROWS_WITH(nn::MultiheadAttention(6, 4), Catch::Contains("num_heads must divide embed_dim, got 4 and 6"));
  REQUIRE_THROWS_AS(m(rand({2, 5, 31}), x, x), ShapeError);
}

TEST_CASE("TransformerEncoderLayer: layers in a row") {
  nn::Sequential encoder;
  for (int i = 0; i < 2; ++i) encoder.add(nn::TransformerEncoderLayer(8, 2, {.dim_feedforward = 16, .norm_first = true}));
  const Tensor x = rand({2, 7, 8}).set_requires_grad();
  sum(encoder(x)).backward();
  REQUIRE(x.grad().shape() == x.shape());
  REQUIRE(encoder.state_dict().contains("1.self_attn.out_proj.weight"));
  REQUIRE(encoder.state_dict().size() == 24);
}

}  // namespace tapetum
