#include <catch2/catch.hpp>
#include <cmath>

#include "tapetum.h"

namespace tapetum {

TEST_CASE("unet: as many parameters as the same network in PyTorch", "[smoke]") {
  models::UNet model({.in_channels = 3, .classes = 2, .width = 64});
  REQUIRE(model.parameter_count() == 31043586);
  REQUIRE(model.parameters().size() == 82);
  REQUIRE(model.state_dict().size() == 136);
}

TEST_CASE("unet: bilinear upsampling has no parameters of its own") {
  models::UNet model({.width = 2, .depth = 1, .up = models::Upsampling::bilinear});
  for (const auto& [name, t] : model.state_dict()) REQUIRE(name.substr(0, 3) != "up.");
  REQUIRE(model.state_dict().at("conv.0.0.weight").shape() == Shape{2, 6, 3, 3});
}

TEST_CASE("unet: state_dict has PyTorch's keys, in its order") {
  models::UNet model({.width = 2, .depth = 1});
  std::vector<std::string> names;
  for (const auto& [name, t] : model.state_dict()) names.push_back(name);
  std::vector<std::string> expected;
  const auto double_conv = [&](const std::string& at) {
    for (const char* i : {"0", "3"}) {
      const std::string conv = at + "." + i, norm = at + "." + std::to_string(std::stoi(i) + 1);
      for (const char* n : {".weight", ".bias"}) expected.push_back(conv + n);
      for (const char* n : {".weight", ".bias", ".running_mean", ".running_var", ".num_batches_tracked"}) expected.push_back(norm + n);
    }
  };
  double_conv("inc");
  double_conv("down.0");
  for (const char* n : {"up.0.weight", "up.0.bias"}) expected.push_back(n);
  double_conv("conv.0");
  for (const char* n : {"out.weight", "out.bias"}) expected.push_back(n);
  REQUIRE(names == expected);
}

TEST_CASE("unet: any size from 2^depth on gives a map of that size, and gradients everywhere") {
  for (const auto up : {models::Upsampling::transposed, models::Upsampling::bilinear}) {
    models::UNet model({.in_channels = 1, .classes = 3, .width = 2, .depth = 3, .up = up});
    for (const Shape& shape : {Shape{2, 1, 32, 32}, Shape{1, 1, 37, 51}, Shape{2, 1, 8, 15}}) {
      const Tensor y = model(rand(shape));
      REQUIRE(y.shape() == Shape{shape[0], 3, shape[2], shape[3]});
      model.zero_grad();
      mean(y * y).backward();
      for (const Tensor& p : model.parameters()) REQUIRE(p.grad().defined());
    }
  }
  models::UNet model({.in_channels = 1, .classes = 3, .width = 2, .depth = 3});
  REQUIRE_THROWS_WITH(model(rand({1, 1, 7, 15})), Catch::Contains("H and W at least 8") && Catch::Contains("[1, 1, 7, 15]"));
  REQUIRE_THROWS_AS(model(rand({1, 3, 16, 16})), ShapeError);
  REQUIRE_THROWS_AS(models::UNet({.width = 0}), Error);
}

TEST_CASE("unet: evaluation leaves the state alone, training moves the running statistics") {
  models::UNet model({.in_channels = 1, .width = 2, .depth = 1});
  const auto batches = [&] { return model.state_dict().at("inc.1.num_batches_tracked").item(); };
  model.eval();
  model(rand({1, 1, 8, 8}));
  REQUIRE(batches() == 0);
  model.train();
  model(rand({1, 1, 8, 8}));
  REQUIRE(batches() == 1);
  REQUIRE_FALSE(model.state_dict().at("inc.1.running_mean").data<float>()[0] == 0);
}

TEST_CASE("unet: Adam lowers the loss on one batch") {
  manual_seed(0);
  models::UNet model({.in_channels = 1, .classes = 1, .width = 4, .depth = 2});
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2});
  const Tensor x = rand({2, 1, 16, 16}), target = rand({2, 1, 16, 16});
  double first = 0, last = 0;
  for (int i = 0; i < 20; ++i) {
    optimizer.zero_grad();
    const Tensor error = model(x) - target, loss = mean(error * error);
    loss.backward();
    optimizer.step();
    last = loss.item();
    if (i == 0) first = last;
  }
  REQUIRE(last < first / 2);
}

TEST_CASE("unet: checkpoints change neither losses nor weights nor running statistics, and take less memory") {
  const Tensor x = rand({2, 3, 96, 80});
  const auto train = [&](bool checkpoint, size_t& peak) {
    manual_seed(4);
    const size_t before = memory_allocated();
    models::UNet model({.in_channels = 3, .classes = 2, .width = 8, .depth = 2, .checkpoint = checkpoint});
    optim::SGD optimizer(model.parameters(), {.lr = 0.05});
    std::vector<double> losses;
    for (int step = 0; step < 3; ++step) {
      optimizer.zero_grad();
      reset_peak_memory();
      const Tensor y = dropout(model(x), 0.3), loss = mean(y * y);
      loss.backward();
      optimizer.step();
      losses.push_back(loss.item());
    }
    peak = peak_memory() - before;
    return std::pair(losses, model.state_dict());
  };
  size_t peak = 0, less = 0;
  const auto [losses, state] = train(false, peak);
  const auto [same_losses, same_state] = train(true, less);
  REQUIRE(losses == same_losses);
  for (const auto& [name, t] : state) {
    INFO(name);
    REQUIRE(all(t == same_state.at(name)).item() == 1);
  }
  REQUIRE(static_cast<double>(less) < 0.8 * static_cast<double>(peak));
}

#if defined(TAPETUM_WITH_CUDA)
// Of each of some steps on one batch.
std::vector<double> losses_of_steps(Device device, DType dtype, int steps, const optim::AdamOptions& options) {
  manual_seed(3);
  models::UNet model({.in_channels = 3, .classes = 2, .width = 4, .depth = 2});
  const Tensor images = to(to(rand({2, 3, 16, 24}), dtype), device);
  const Tensor masks = to(to(rand({2, 16, 24}) > 0.5, DType::i64), device);
  model.to(device);
  model.to(dtype);
  optim::Adam optimizer(model.parameters(), options);
  std::vector<double> all;
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(images), masks);
    loss.backward();
    optimizer.step();
    all.push_back(loss.item());
  }
  return all;
}

// A step's rounding differs between the devices, and twenty steps amplify it.
TEST_CASE("unet: twenty steps on cuda lose what they lose on the CPU", "[emulated]") {
  const auto cpu = losses_of_steps(DeviceKind::cpu, DType::f32, 20, {.lr = 1e-3});
  const auto cuda = losses_of_steps(DeviceKind::cuda, DType::f32, 20, {.lr = 1e-3});
  REQUIRE(cuda[0] == Approx(cpu[0]).epsilon(1e-6));
  for (int step = 0; step < 20; ++step) {
    INFO("step " << step);
    REQUIRE(cuda[step] == Approx(cpu[step]).epsilon(1e-3));
  }
  REQUIRE(cuda[19] < 0.95 * cuda[0]);
}

// In bf16 a result is off by at most u = 2^-8 of itself. On the way to the loss values are rounded in 25 places (10 times convolution, norm;
// 2 transposed convolutions, the last one, images, loss), independently: the logits, which are about 1, by sqrt(25) u. The cross-entropy's
// slope in them is at most 2 in sum. Each step rounds the parameters as well, one place more for each of the 25.
TEST_CASE("unet: five steps in bf16 on cuda lose what f32 loses, but for rounding", "[emulated]") {
  const auto exact = losses_of_steps(DeviceKind::cuda, DType::f32, 5, {.lr = 1e-2});
  const auto half = losses_of_steps(DeviceKind::cuda, DType::bf16, 5, {.lr = 1e-2});
  for (int step = 0; step < 5; ++step) {
    INFO("step " << step);
    REQUIRE(std::fabs(half[step] - exact[step]) <= 2 * std::sqrt(25.0 * (1 + step)) * 0x1p-8);
  }
  REQUIRE(half[4] < 0.95 * half[0]);
}
#endif

}  // namespace tapetum
