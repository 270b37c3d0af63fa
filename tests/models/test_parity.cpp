#include <catch2/catch.hpp>

#include "tapetum.h"
#include "tests/fixtures.h"

namespace tapetum {
namespace {

// The recorded tensors whose names begin with the prefix, without it.
StateDict recorded(const StateDict& all, const std::string& prefix) {
  StateDict part;
  for (const auto& [name, t] : all)
    if (name.rfind(prefix, 0) == 0) part.set(name.substr(prefix.size()), t);
  return part;
}

double greatest_difference(const Tensor& a, const Tensor& b) { return amax(abs(a.detach() - b)).item(); }

void check_training(const std::string& name, models::Upsampling up) {
  INFO(name);
  const StateDict all = load(test::fixture("unet.safetensors"));
  models::UNet model({.in_channels = 3, .classes = 3, .width = 2, .depth = 2, .up = up});
  model.to(DType::f64);
  REQUIRE(model.load_state_dict(recorded(all, name + ".weights.")).complete());
  const Tensor x = all.at("x"), target = all.at("target"), losses = all.at(name + ".losses");
  const StateDict gradients = recorded(all, name + ".gradients.");
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2});
  for (int64_t step = 0; step < losses.numel(); ++step) {
    INFO("step " << step);
    optimizer.zero_grad();
    const Tensor loss = mean(square(model(x) - target));
    loss.backward();
    REQUIRE(loss.item() == Approx(losses.data<double>()[step]).epsilon(1e-9));
    if (step == 0)
      for (const auto& [key, p] : model.named_parameters()) {
        INFO(key);
        REQUIRE(greatest_difference(p.grad(), gradients.at(key)) < 1e-12);
      }
    optimizer.step();
  }
  model.eval();
  REQUIRE(greatest_difference(model(x), all.at(name + ".output")) < 1e-8);
}

}  // namespace

TEST_CASE("unet: gradients and 100 steps in f64 follow PyTorch's", "[parity]") {
  check_training("transposed", models::Upsampling::transposed);
  check_training("bilinear", models::Upsampling::bilinear);
}

}  // namespace tapetum
