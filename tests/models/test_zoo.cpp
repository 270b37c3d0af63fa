#include <catch2/catch.hpp>
#include <cmath>

#include "tapetum.h"

namespace tapetum {
namespace {

// The lightest of each family, and the least square image it takes (the only one, where the network knows its size).
struct Small {
  const char* name;
  int64_t size, other_size;
  bool any_size, large;
};
const Small kSmall[] = {{"lenet5", 32, 28, false, false},        {"simple_cnn", 8, 19, false, false},
                        {"alexnet", 63, 70, true, true},         {"vgg11", 32, 35, true, true},
                        {"squeezenet1_0", 21, 40, true, false},  {"squeezenet1_1", 17, 32, true, false},
                        {"resnet18", 1, 33, true, false},        {"resnet20", 1, 11, true, false},
                        {"mobilenet_v2", 1, 33, true, false},    {"mobilenet_v3_small", 1, 33, true, false},
                        {"efficientnet_b0", 1, 33, true, false}, {"efficientnet_lite0", 1, 33, true, false},
                        {"convnext_tiny", 32, 39, true, false},  {"vit_ti_16", 16, 32, false, false},
                        {"vit_cifar10", 4, 12, false, false}};

// Those that know their size are made for `size`.
nn::Box<models::Classifier> make(const Small& s, int64_t size, models::CreateOptions options = {.classes = 3}) {
  options.image_size = s.any_size ? 0 : std::string(s.name) == "lenet5" ? std::max<int64_t>(size, 28) : size;
  auto model = models::create(s.name, options);
  model->eval();
  return model;
}

bool finite(const Tensor& x) { return std::isfinite(sum(x.detach()).item()); }
double greatest_difference(const Tensor& a, const Tensor& b) { return amax(abs(a.detach() - b.detach())).item(); }

void check_shapes(const Small& s) {
  INFO(s.name);
  for (const int64_t size : {s.size, s.other_size}) {
    auto model = make(s, size);
    InferenceMode mode;
    const Tensor x = rand({2, 3, size, size}), y = (*model)(x);
    REQUIRE(y.shape() == Shape{2, 3});
    REQUIRE(finite(y));
    REQUIRE((*model)(rand({0, 3, size, size})).shape() == Shape{0, 3});
    REQUIRE(greatest_difference((*model)(channels_last(x)), y) < 1e-4);
    REQUIRE(greatest_difference(model->forward_head(model->forward_features(x)), y) == 0);
    const nn::Box<models::Classifier> copy = model;
    REQUIRE(greatest_difference((*copy)(x), y) == 0);
    fill_(copy->parameters()[0], 0);
    REQUIRE(greatest_difference((*model)(x), y) == 0);
    if (s.size > 1) REQUIRE_THROWS_AS((*model)(rand({1, 3, s.size - 1, s.size})), ShapeError);
    REQUIRE_THROWS_AS((*model)(rand({1, 4, size, size})), ShapeError);
    REQUIRE_THROWS_AS((*model)(rand({3, size, size})), ShapeError);
  }
  auto model = make(s, s.other_size, {.classes = 1, .in_channels = 1});
  const std::string layer = model->classifier_name();
  REQUIRE(model->state_dict().at(layer + ".weight").size(0) == 1);
  REQUIRE(model->state_dict().at(layer + ".bias").shape() == Shape{1});
  REQUIRE((*model)(rand({1, 1, s.other_size, s.other_size})).shape() == Shape{1, 1});
}

// Some steps on one batch, without the noise of dropout.
void check_training(const Small& s, int64_t size) {
  INFO(s.name);
  manual_seed(1);
  auto model = make(s, size, {.classes = 3, .dropout = 0, .drop_path = 0});
  model->train();
  optim::Adam optimizer(model->parameters(), {.lr = 1e-4});
  const Tensor x = randn({4, 3, size, size}), labels = tensor({0, 1, 2, 1}, DType::i64);
  double first = 0, last = 0;
  for (int step = 0; step < 6; ++step) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy((*model)(x), labels);
    loss.backward();
    if (step == 0)
      for (const auto& [key, p] : model->named_parameters()) {
        INFO(key);
        REQUIRE(p.grad().defined());
      }
    optimizer.step();
    last = loss.item();
    if (step == 0) first = last;
  }
  REQUIRE(last < first);
}

}  // namespace

TEST_CASE("zoo: an unknown name is an error that lists the nearest ones") {
  REQUIRE_THROWS_WITH(models::create("squeeznet1.1"), Catch::Contains("no model is called 'squeeznet1.1'") && Catch::Contains("squeezenet1_1"));
  REQUIRE_THROWS_WITH(models::create("resnet-50"), Catch::Contains("resnet50"));
  REQUIRE_THROWS_AS(models::create(""), Error);
}

TEST_CASE("zoo: odd sizes, no images, one class, one channel, channels last, copies, images too small") {
  for (const Small& s : kSmall)
    if (!s.large) check_shapes(s);
}
TEST_CASE("zoo: odd sizes and the like of large networks", "[slow]") {
  for (const Small& s : kSmall)
    if (s.large) check_shapes(s);
}

TEST_CASE("zoo: training lowers the loss of every family") {
  for (const Small& s : kSmall)
    if (!s.large) check_training(s, std::max<int64_t>(s.size, s.other_size));
}
TEST_CASE("zoo: training lowers the loss of large networks", "[slow]") {
  for (const Small& s : kSmall)
    if (s.large) check_training(s, s.other_size);
}

TEST_CASE("zoo: options that make no network are errors that name them") {
  REQUIRE_THROWS_WITH(models::create("resnet18", {.classes = -1}), Catch::Contains("classes must be positive, got -1"));
  REQUIRE_THROWS_WITH(models::create("vgg11", {.in_channels = 0}), Catch::Contains("in_channels must be positive"));
  REQUIRE_THROWS_WITH(models::create("vit_ti_16", {.image_size = {32, 40}}), Catch::Contains("16 x 16") && Catch::Contains("32 x 40"));
  REQUIRE_THROWS_WITH(models::create("lenet5", {.image_size = 64}), Catch::Contains("28 or 32"));
  REQUIRE_THROWS_WITH(models::CifarResNet({.depth = 18}), Catch::Contains("6 n + 2"));
  REQUIRE_THROWS_AS(models::ViT({.dim = 64, .heads = 5}), Error);
  models::ResNet model({.layers = {1, 1, 1, 1}, .classes = 2});
  REQUIRE_THROWS_WITH(model(rand({1, 1, 8, 8})), Catch::Contains("ResNet: expected [N, 3, H, W]") && Catch::Contains("[1, 1, 8, 8]"));
}

TEST_CASE("zoo: a ViT takes the weights of another image size through interpolated positions") {
  const models::ViTOptions options{.image_size = {32, 48}, .patch_size = 8, .dim = 24, .depth = 2, .heads = 3, .mlp_dim = 48, .classes = 4};
  models::ViT trained(options);
  models::ViTOptions larger = options;
  larger.image_size = {48, 40};
  models::ViT model(larger);
  StateDict state = trained.state_dict();
  REQUIRE_THROWS_WITH(model.load_state_dict(state), Catch::Contains("encoder.pos_embedding [1, 25, 24], expected [1, 31, 24]"));
  state.set("encoder.pos_embedding", models::interpolate_position_embedding(state.at("encoder.pos_embedding"), {4, 6}, {6, 5}));
  REQUIRE(model.load_state_dict(state).complete());
  REQUIRE(model(rand({1, 3, 48, 40})).shape() == Shape{1, 4});
  REQUIRE_THROWS_WITH(model(rand({1, 3, 32, 48})), Catch::Contains("expected [N, 3, 48, 40], got [1, 3, 32, 48]"));
  const Tensor positions = trained.encoder.pos_embedding;
  REQUIRE(greatest_difference(models::interpolate_position_embedding(positions, {4, 6}, {4, 6}), positions) < 1e-6);
}

TEST_CASE("zoo: initial weights have torchvision's deviations, and mean zero") {
  struct Start {
    const char *name, *key;
    double deviation;
  };
  const Start starts[] = {{"resnet18", "layer1.0.conv1.weight", std::sqrt(2.0 / (64 * 9))},
                          {"resnet20", "layer2.0.conv1.weight", std::sqrt(2.0 / (16 * 9))},
                          {"squeezenet1_1", "features.3.squeeze.weight", std::sqrt(2.0 / 64)},
                          {"squeezenet1_1", "classifier.1.weight", 0.01},
                          {"mobilenet_v2", "features.3.conv.1.0.weight", std::sqrt(2.0 / (144 * 9))},
                          {"mobilenet_v3_small", "classifier.3.weight", 0.01},
                          {"efficientnet_b0", "classifier.1.weight", 1 / std::sqrt(3 * 1000.0)},
                          {"efficientnet_lite0", "_blocks.1._expand_conv.weight", std::sqrt(2.0 / 96)},
                          {"convnext_tiny", "features.1.0.block.3.weight", 0.02},
                          {"vit_ti_16", "conv_proj.weight", 1 / std::sqrt(768.0)},
                          {"vit_ti_16", "encoder.pos_embedding", 0.02},
                          {"vit_ti_16", "encoder.layers.encoder_layer_3.mlp.0.weight", std::sqrt(2.0 / (192 + 768))},
                          {"vit_ti_16", "heads.head.weight", 0},
                          {"vit_cifar10", "pos_embed", 0.02},
                          {"simple_cnn", "features.4.weight", 1 / std::sqrt(3 * 32 * 9.0)}};
  manual_seed(2);
  for (const Start& s : starts) {
    INFO(s.name << " " << s.key);
    auto model = models::create(s.name);
    const Tensor weight = model->state_dict().at(s.key);
    const double count = static_cast<double>(weight.numel());
    REQUIRE(tapetum::std(weight).item() == Approx(s.deviation).epsilon(4 / std::sqrt(2 * count)).margin(1e-12));
    REQUIRE(std::abs(mean(weight).item()) <= 4 * s.deviation / std::sqrt(count));
  }
}

// Per image of 224 x 224, as torchvision states them; it counts matrix products and convolutions, as we do.
TEST_CASE("zoo: multiply-accumulates on the meta device are torchvision's") {
  const std::pair<const char*, double> expected[] = {{"resnet18", 1.814},           {"squeezenet1_1", 0.349},   {"mobilenet_v2", 0.301},
                                                     {"mobilenet_v3_small", 0.057}, {"efficientnet_b0", 0.386}, {"convnext_tiny", 4.456}};
  for (const auto& [name, billions] : expected) {
    INFO(name);
    const nn::init::Skip skip;
    auto model = models::create(name);
    const auto rows = nn::summarize_copy(*model, {1, 3, 224, 224});
    REQUIRE(rows[0].parameters == model->parameter_count());
    REQUIRE(static_cast<double>(rows[0].macs) / 1e9 == Approx(billions).margin(0.0006));
  }
}

TEST_CASE("zoo: weights of another image size fit after adapt(), those of the same size stay") {
  const models::ViTOptions small{.image_size = 16, .patch_size = 4, .dim = 8, .depth = 1, .heads = 2, .mlp_dim = 8, .classes = 3};
  models::ViTOptions large = small;
  large.image_size = {32, 24};
  models::ViT from(small), to(large);
  StateDict weights = from.state_dict();
  REQUIRE_FALSE(to.compare(weights).complete());
  to.adapt(weights);
  REQUIRE(weights.at("encoder.pos_embedding").shape() == Shape{1, 1 + 8 * 6, 8});
  REQUIRE(to.load_state_dict(weights).complete());
  REQUIRE(to(rand({1, 3, 32, 24})).shape() == Shape{1, 3});
  StateDict same = from.state_dict();
  from.adapt(same);
  REQUIRE(same.at("encoder.pos_embedding").raw() == from.encoder.pos_embedding.raw());
  models::PlainViT plain({.image_size = 64});
  StateDict plain_weights = models::PlainViT().state_dict();
  plain.adapt(plain_weights);
  REQUIRE(plain.load_state_dict(plain_weights).complete());
}

TEST_CASE("zoo: ViT takes timm's names") {
  models::ViT model({.image_size = 16, .patch_size = 8, .dim = 8, .depth = 2, .heads = 2, .mlp_dim = 16, .classes = 3});
  const std::pair<const char*, Shape> timm[] = {{"cls_token", {1, 1, 8}},       {"pos_embed", {1, 5, 8}}, {"patch_embed.proj.weight", {8, 3, 8, 8}},
                                                {"patch_embed.proj.bias", {8}}, {"norm.weight", {8}},     {"norm.bias", {8}},
                                                {"head.weight", {3, 8}},        {"head.bias", {3}}};
  StateDict weights;
  for (const auto& [name, shape] : timm) weights.set(name, rand(shape));
  for (const std::string block : {"blocks.0.", "blocks.1."})
    for (const auto& [name, shape] : {std::pair<const char*, Shape>{"norm1.weight", {8}},
                                      {"norm1.bias", {8}},
                                      {"attn.qkv.weight", {24, 8}},
                                      {"attn.qkv.bias", {24}},
                                      {"attn.proj.weight", {8, 8}},
                                      {"attn.proj.bias", {8}},
                                      {"norm2.weight", {8}},
                                      {"norm2.bias", {8}},
                                      {"mlp.fc1.weight", {16, 8}},
                                      {"mlp.fc1.bias", {16}},
                                      {"mlp.fc2.weight", {8, 16}},
                                      {"mlp.fc2.bias", {8}}})
      weights.set(block + name, rand(shape));
  REQUIRE_FALSE(model.compare(weights).complete());
  model.adapt(weights);
  REQUIRE(model.load_state_dict(weights).complete());
  REQUIRE(weights.at("encoder.layers.encoder_layer_1.self_attention.in_proj_weight").shape() == Shape{24, 8});
}

}  // namespace tapetum
