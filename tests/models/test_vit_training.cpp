// A small Vision Transformer learns as PyTorch's does, step by step.
#include <catch2/catch.hpp>

#include "tapetum.h"
#include "tests/fixtures.h"
#include "tests/models/derived.h"

namespace tapetum {
namespace {

constexpr int64_t kPictures = 32, kBatch = 8;

struct Pictures {
  Tensor images, labels;  // f64 [32, 3, 32, 32], i64 [32]
};

Pictures derived_pictures() {
  Tensor labels = empty({kPictures}, DType::i64);
  for (int64_t i = 0; i < kPictures; ++i) labels.mutable_data<int64_t>()[i] = i % 10;
  return {to(test::derived_uniform("pictures", {kPictures, 3, 32, 32}, -1.7, 1.7), DType::f64), labels};
}

Pictures cifar_pictures(const std::string& root) {
  const data::Cifar10 set({.root = root});
  const Tensor mean = tensor({125.307, 122.961, 113.8575}, {3}, DType::f64), std = tensor({51.5865, 50.847, 51.255}, {3}, DType::f64);
  std::vector<Tensor> images, labels;
  for (int64_t i = 0; i < kPictures; ++i) {
    const data::ClassificationSample sample = set.get(i);
    images.push_back(permute((to(sample.image, DType::f64) - mean) / std, {2, 0, 1}));
    labels.push_back(sample.label);
  }
  return {stack(images, 0), stack(labels, 0)};
}

// check(step, loss) at each of `steps` steps of AdamW.
template <class Check> void train(const Pictures& p, DType dtype, int64_t steps, Check check) {
  models::ViT model({.image_size = 32, .patch_size = 8, .dim = 48, .depth = 4, .heads = 3, .mlp_dim = 96, .classes = 10});
  test::fill_by_name(model, 1);
  model.to(dtype);
  optim::AdamW optimizer(model.parameters(), {.lr = 1e-3, .weight_decay = 0.05});
  for (int64_t step = 0; step < steps; ++step) {
    INFO("step " << step);
    const int64_t at = step * kBatch % kPictures;
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(to(narrow(p.images, 0, at, kBatch), dtype)), narrow(p.labels, 0, at, kBatch));
    loss.backward();
    check(step, loss.item());
    optimizer.step();
  }
}

// f64 within 1e-9; f32 within five times PyTorch's own distance from f64.
void check_losses(const Pictures& p, const std::string& name) {
  const StateDict all = load(test::fixture("vit.safetensors"));
  const double *losses = all.at(name).data<double>(), *single = all.at(name + ".single").data<double>();
  train(p, DType::f64, all.at(name).numel(), [&](int64_t step, double loss) { REQUIRE(loss == Approx(losses[step]).epsilon(1e-9)); });
  double allowed = 1e-7 * losses[0];
  train(p, DType::f32, all.at(name + ".single").numel(), [&](int64_t step, double loss) {
    allowed = std::max(allowed, 5 * single[step]);
    REQUIRE(std::abs(loss - losses[step]) <= allowed);
  });
}

}  // namespace

TEST_CASE("vit: the losses of 100 steps follow PyTorch's", "[parity]") { check_losses(derived_pictures(), "derived"); }

TEST_CASE("vit: the losses of 100 steps on CIFAR-10 follow PyTorch's", "[parity][data]") {
  const char* data = std::getenv("TAPETUM_DATA");
  if (!data) {
    WARN("skipped: TAPETUM_DATA is not set");
    return;
  }
  check_losses(cifar_pictures(std::string(data) + "/cifar10"), "cifar10");
}

}  // namespace tapetum
