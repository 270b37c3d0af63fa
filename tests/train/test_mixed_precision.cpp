// A small U-Net trained in mixed precision beside one in f32.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "tapetum.h"

namespace tapetum {
namespace {

struct Training {
  Autocast autocast() const { return Autocast(DeviceKind::cpu, dtype, amp); }

  // Losses of all steps.
  std::vector<double> run(int steps) {
    data::Transformed cells(data::SyntheticCells({.count = 8, .size = 32}), data::ToTensor{});
    data::DataLoader loader(cells, {.batch_size = 8, .shuffle = true, .workers = 0});
    std::vector<double> losses;
    while (true)
      for (auto& batch : loader) {
        if (losses.size() == static_cast<size_t>(steps)) return losses;
        optimizer.zero_grad();
        Tensor loss;
        {
          const Autocast guard = autocast();
          loss = cross_entropy(model(batch.image), batch.mask);
        }
        scaler.scale(loss).backward();
        scaler.step(optimizer);
        scaler.update();
        losses.push_back(loss.item());
      }
  }

  static models::UNet make_model() {
    manual_seed(7);
    return models::UNet({.in_channels = 3, .classes = 2, .width = 8, .depth = 2});
  }

  bool amp;
  DType dtype = DType::bf16;
  optim::GradScalerOptions scaling = {.enabled = false};
  models::UNet model = make_model();
  optim::Adam optimizer{model.parameters(), {.lr = 5e-4}};
  optim::GradScaler scaler{scaling};
};

double mean_of_last(const std::vector<double>& losses, size_t n) {
  double sum = 0;
  for (size_t i = losses.size() - n; i < losses.size(); ++i) sum += losses[i];
  return sum / static_cast<double>(n);
}

}  // namespace

// Few steps of a low rate: where steps are large, weights that differ by a rounding part as much.
TEST_CASE("mixed precision: after 200 steps the loss of a U-Net in bf16, and in f16 with a scaler, is within 2 % of that in f32") {
  const double exact = mean_of_last(Training{.amp = false}.run(200), 20);
  REQUIRE(exact < 0.4);
  CHECK(mean_of_last(Training{.amp = true}.run(200), 20) == Approx(exact).epsilon(0.02));
  CHECK(mean_of_last(Training{.amp = true, .dtype = DType::f16, .scaling = {}}.run(200), 20) == Approx(exact).epsilon(0.02));
}

TEST_CASE("mixed precision: with autocast switched off and a scale of 1 training has the bits of plain training") {
  Training plain{.amp = false}, scaled{.amp = false, .scaling = {.init_scale = 1}};
  REQUIRE(plain.run(5) == scaled.run(5));
  const StateDict a = plain.model.state_dict(), b = scaled.model.state_dict();
  for (const auto& [name, t] : a) {
    INFO(name);
    const Tensor x = contiguous(t), y = contiguous(b.at(name));
    REQUIRE(std::memcmp(x.raw(), y.raw(), static_cast<size_t>(x.numel()) * size_of(x.dtype())) == 0);
  }
}

TEST_CASE("mixed precision: a U-Net's activations are in 16 bits from end to end") {
  Training t{.amp = true};
  const Autocast guard = t.autocast();
  REQUIRE(t.model(rand({1, 3, 32, 32})).dtype() == DType::bf16);
}

}  // namespace tapetum
