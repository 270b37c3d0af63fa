#include <catch2/catch.hpp>

#include "tapetum.h"
#include "tests/fixtures.h"
#include "tests/models/derived.h"

namespace tapetum {
namespace {

double greatest(const Tensor& x) { return amax(abs(x.detach())).item(); }
double greatest_difference(const Tensor& a, const Tensor& b) { return greatest(to(a.detach(), DType::f64) - b); }

const StateDict& fixture() {
  static const StateDict all = load(test::fixture("models.safetensors"));
  return all;
}

// The logits of two images of the recorded size, in evaluation.
void check_logits(const std::string& name, double from, double below) {
  const StateDict& all = fixture();
  if (const double n = all.at(name + ".parameters").item(); n < from || n >= below) return;
  const int64_t* size = all.at(name + ".size").data<int64_t>();
  INFO(name);
  const nn::init::Skip skip;
  auto model = models::create(name, {.classes = 10, .image_size = {size[0], size[1]}});
  test::fill_by_name(*model, all.at(name + ".gain").item());
  model->eval();
  const Tensor x = test::derived_uniform("input", {2, 3, size[0], size[1]}, -1.7, 1.7), expected = all.at(name + ".logits");
  InferenceMode mode;
  const double scale = std::max(1.0, greatest(expected));
  REQUIRE(all.at(name + ".single").item() < 1e-5 * scale);  // PyTorch's own rounding leaves room
  REQUIRE(greatest_difference((*model)(x), expected) < 1e-4 * scale);
  REQUIRE(greatest_difference((*model)(channels_last(x)), expected) < 1e-4 * scale);
  model->to(DType::f64);
  REQUIRE(greatest_difference((*model)(to(x, DType::f64)), expected) < 1e-9 * scale);
}

// The gradient of sum(logits cotangent) in training, and what the norms have gathered.
void check_gradients(const std::string& name, models::Classifier& model, const Shape& shape) {
  INFO(name);
  const StateDict& all = fixture();
  test::fill_by_name(model, 0.7);
  model.to(DType::f64);
  const Tensor y = model(to(test::derived_uniform("input", shape, -1.7, 1.7), DType::f64));
  sum(y * to(test::derived_uniform("cotangent", y.shape(), -1, 1), DType::f64)).backward();
  const Tensor gradients = all.at(name + ".gradients");
  const double* recorded = gradients.data<double>();
  const double greatest_norm = amax(select(gradients, 1, 1)).item();
  for (const auto& [key, p] : model.named_parameters()) {
    INFO(key);
    const Tensor g = p.grad();
    const double n = recorded[1], allowed = 1e-9 * std::max(n, 1e-3 * greatest_norm) * std::sqrt(static_cast<double>(g.numel()));
    REQUIRE(std::abs(sum(g).item() - recorded[0]) <= allowed);
    REQUIRE(std::abs(norm(g).item() - n) <= allowed);
    for (int i : {0, 1}) {
      const Tensor direction = to(test::derived_uniform(key + ' ' + std::to_string(i), p.shape(), -1, 1), DType::f64);
      REQUIRE(std::abs(sum(g * direction).item() - recorded[2 + i]) <= allowed);
    }
    recorded += 4;
  }
  REQUIRE(recorded == gradients.data<double>() + gradients.numel());
  if (!all.contains(name + ".statistics")) return;
  const Tensor statistics = all.at(name + ".statistics");
  const double* expected = statistics.data<double>();
  for (const auto& [key, b] : model.named_buffers()) {
    INFO(key);
    if (b.dtype() == DType::f64) REQUIRE(norm(b).item() == Approx(*expected++).epsilon(1e-9));
  }
  REQUIRE(expected == statistics.data<double>() + statistics.numel());
}

void check_gradients(const std::string& name, const Shape& shape) {
  auto model = models::create(name, {.classes = 10, .dropout = 0, .drop_path = 0});
  check_gradients(name, *model, shape);
}

models::ViTOptions small_vit() { return {.image_size = 16, .patch_size = 4, .dim = 24, .depth = 2, .heads = 3, .mlp_dim = 40, .classes = 10}; }

}  // namespace

TEST_CASE("zoo: logits are PyTorch's for weights derived from their names", "[parity]") {
  for (const models::ModelEntry& entry : models::list()) check_logits(entry.name, 0, 15e6);
}
TEST_CASE("zoo: logits of middling networks are PyTorch's", "[parity][slow]") {
  for (const models::ModelEntry& entry : models::list()) check_logits(entry.name, 15e6, 100e6);
}
TEST_CASE("zoo: logits of large networks are PyTorch's", "[parity][slow]") {
  for (const models::ModelEntry& entry : models::list()) check_logits(entry.name, 100e6, 1e12);
}

TEST_CASE("zoo: gradients of ResNets and mobile networks are PyTorch's", "[parity]") {
  check_gradients("resnet18", {4, 3, 40, 33});
  check_gradients("resnet20", {4, 3, 17, 16});
  check_gradients("mobilenet_v2", {4, 3, 40, 33});
  check_gradients("mobilenet_v3_small", {4, 3, 64, 72});
  check_gradients("efficientnet_lite0", {4, 3, 40, 33});
}

TEST_CASE("zoo: gradients of ConvNeXt and ViTs are PyTorch's", "[parity]") {
  models::ConvNeXt convnext({.depths = {1, 1, 2, 1}, .dims = {8, 16, 24, 32}, .drop_path = 0, .classes = 10});
  check_gradients("small_convnext", convnext, {2, 3, 40, 33});
  models::ViT vit(small_vit());
  check_gradients("small_vit", vit, {2, 3, 16, 16});
  models::ViTOptions options = small_vit();
  options.pooling = models::ViTPooling::mean;
  models::ViT averaged(options);
  check_gradients("mean_vit", averaged, {2, 3, 16, 16});
  options = small_vit();
  options.norm_first = false;
  models::ViT post_norm(options);
  check_gradients("post_norm_vit", post_norm, {2, 3, 16, 16});
  models::PlainViT plain({.image_size = 16, .dim = 24, .depth = 2, .heads = 3, .mlp_dim = 40, .dropout = 0});
  check_gradients("small_plain_vit", plain, {2, 3, 16, 16});
}

TEST_CASE("zoo: position embeddings are interpolated as torchvision and timm do", "[parity]") {
  const Tensor positions = to(test::derived_uniform("positions", {1, 25, 8}, -1, 1), DType::f64);
  REQUIRE(greatest_difference(models::interpolate_position_embedding(positions, {4, 6}, {7, 5}), fixture().at("positions.torchvision")) < 1e-12);
  REQUIRE(greatest_difference(models::interpolate_position_embedding(positions, {4, 6}, {7, 5}, {.align_corners = false, .antialias = true}),
                              fixture().at("positions.timm")) < 1e-12);
  REQUIRE_THROWS_WITH(models::interpolate_position_embedding(positions, {5, 6}, {7, 5}), Catch::Contains("expected [1, 1 + 5 x 6, D]"));
}

}  // namespace tapetum
