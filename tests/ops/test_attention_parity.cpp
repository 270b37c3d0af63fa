// PyTorch's attention of the same inputs (tests/fixtures/make_attention.py, f64).
#include <catch2/catch.hpp>

#include "tests/fixtures.h"
#include "tests/ops/parity.h"

namespace tapetum::test {

TEST_CASE("scaled_dot_product_attention: values and gradients are PyTorch's") {
  using Inputs = std::vector<Tensor>;
  const StateDict file = load(fixture("attention.safetensors"));
  StateDict of_op;
  for (const auto& [name, tensor] : file)
    if (name.starts_with("sdpa")) of_op.set(name, tensor);
  const Tensor mask = file.at("mask");
  check_parity(of_op, {
                          {"sdpa", [](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }},
                          {"sdpa_scale", [](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.scale = 0.3}); }},
                          {"sdpa_causal", [](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); }},
                          {"sdpa_causal_tall", [](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); }},
                          {"sdpa_mask", [&](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = mask}); }},
                          {"sdpa_bias", [](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3]}); }},
                      });
}

}  // namespace tapetum::test
