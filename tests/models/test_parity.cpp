#include <catch2/catch.hpp>

#include "kernels/conv.h"
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

models::UNet recorded_model(const StateDict& all, const std::string& name) {
  const auto up = name == "bilinear" ? models::Upsampling::bilinear : models::Upsampling::transposed;
  models::UNet model({.in_channels = 3, .classes = 3, .width = 2, .depth = 2, .up = up});
  model.to(DType::f64);
  REQUIRE(model.load_state_dict(recorded(all, name + ".weights.")).complete());
  return model;
}

// Steps of Adam on the recorded batch; check(step, loss) sees the gradients of each.
template <class Check> void train(models::UNet& model, const StateDict& all, DType dtype, int64_t steps, Check check) {
  const Tensor x = to(all.at("x"), dtype), target = to(all.at("target"), dtype);
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2});
  for (int64_t step = 0; step < steps; ++step) {
    INFO("step " << step);
    optimizer.zero_grad();
    const Tensor loss = mean(square(model(x) - target));
    loss.backward();
    check(step, loss.item());
    optimizer.step();
  }
}

// In f32 every rounding differs, so the measure is PyTorch's own distance from f64.
void check_single(const std::string& name) {
  INFO(name);
  const auto before = kernels::conv_precision();
  kernels::set_conv_precision(kernels::ConvPrecision::exact);
  const StateDict all = load(test::fixture("unet.safetensors"));
  models::UNet model = recorded_model(all, name);
  model.to(DType::f32);
  const double *losses = all.at(name + ".losses").data<double>(), *deviations = all.at(name + ".single_losses").data<double>();
  double allowed = 0, rounding = 0;  // of the largest gradient: those that are zero but for rounding have no scale of their own
  for (const auto& [key, g] : recorded(all, name + ".gradients.")) rounding = std::max(rounding, 6e-8 * amax(abs(g)).item());
  train(model, all, DType::f32, all.at(name + ".single_losses").numel(), [&](int64_t step, double loss) {
    const double step_of_f32 = 0x1p-23 * losses[step];  // to have come nearer is luck
    allowed = std::max(allowed, 5 * std::max(deviations[step], step_of_f32));
    REQUIRE(std::abs(loss - losses[step]) <= allowed);
    if (step == 0)
      for (const auto& [key, p] : model.named_parameters()) {
        INFO(key);
        const double deviation = std::max(all.at(name + ".single_gradients." + key).item(), rounding);
        REQUIRE(greatest_difference(to(p.grad(), DType::f64), all.at(name + ".gradients." + key)) <= 5 * deviation);
      }
  });
  kernels::set_conv_precision(before);
}

void check_training(const std::string& name) {
  INFO(name);
  const StateDict all = load(test::fixture("unet.safetensors"));
  models::UNet model = recorded_model(all, name);
  const Tensor losses = all.at(name + ".losses");
  const StateDict gradients = recorded(all, name + ".gradients.");
  train(model, all, DType::f64, losses.numel(), [&](int64_t step, double loss) {
    REQUIRE(loss == Approx(losses.data<double>()[step]).epsilon(1e-9));
    if (step == 0)
      for (const auto& [key, p] : model.named_parameters()) {
        INFO(key);
        REQUIRE(greatest_difference(p.grad(), gradients.at(key)) < 1e-12);
      }
  });
  model.eval();
  REQUIRE(greatest_difference(model(all.at("x")), all.at(name + ".output")) < 1e-8);
}

}  // namespace

TEST_CASE("unet: gradients and 100 steps in f64 follow PyTorch's", "[parity]") {
  check_training("transposed");
  check_training("bilinear");
}

TEST_CASE("unet: gradients and ten steps in f32 stay as near to f64 as PyTorch's", "[parity]") {
  check_single("transposed");
  check_single("bilinear");
}

}  // namespace tapetum
