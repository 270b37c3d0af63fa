// Weights that others trained: the outputs that PyTorch gave for them.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/presets.h"
#include "tapetum.h"
#include "tests/npy.h"

namespace tapetum {
namespace {

// The folder of the weights, or nothing where there is no data.
std::string weights_folder() {
  const char* data = std::getenv("TAPETUM_DATA");
  if (!data) WARN("skipped: TAPETUM_DATA is not set");
  return data ? std::string(data) + "/weights/" : "";
}

nn::Box<models::Classifier> loaded(const std::string& name, const std::string& path) {
  auto model = models::create(name);
  REQUIRE(model->load_state_dict(load_weights(path)).complete());
  model->eval();
  return model;
}

// An image u8 [C, H, W] as the preset prepares it, but for its size: [1, C, H, W].
Tensor normalised(const Tensor& image, const data::Preprocess& p) {
  const Tensor mean = tensor({p.mean[0], p.mean[1], p.mean[2]}, {3, 1, 1}), std = tensor({p.std[0], p.std[1], p.std[2]}, {3, 1, 1});
  return unsqueeze((to(image, DType::f32) - mean) / std, 0);
}

double greatest_difference(const Tensor& a, const Tensor& b) { return amax(abs(reshape(a, b.shape()) - b)).item(); }

std::vector<int64_t> top5(const Tensor& logits) {
  const Tensor i = contiguous(topk(reshape(logits, {-1}), 5).indices);
  return {i.data<int64_t>(), i.data<int64_t>() + 5};
}

void check_imagenet(const std::string& name, const std::string& file, const std::string& preset) {
  const std::string folder = weights_folder();
  if (folder.empty()) return;
  const InferenceMode inference;
  const std::string golden = folder + file.substr(0, file.find('/')) + "/golden/";
  auto model = loaded(name, folder + file);
  const Tensor image = test::load_npy(golden + "input_tench_3x224x224_u8_rgb.npy"), expected = test::load_npy(golden + "output_logits_1000_f32.npy");
  const Tensor logits = (*model)(normalised(image, models::preset(preset)));
  REQUIRE(greatest_difference(logits, expected) <= 1e-4);
  REQUIRE(top5(logits) == top5(expected));
  REQUIRE(models::preset_for(name, load_weights(folder + file), {}).reason.starts_with(preset));
}

// The first eight test images of CIFAR-10, and how many of 500 are right.
void check_cifar(const std::string& name, const std::string& file, const std::string& golden, const std::string& key, const std::string& preset) {
  const std::string folder = weights_folder();
  if (folder.empty()) return;
  const InferenceMode inference;
  auto model = loaded(name, folder + file);
  const std::string records = test::content(folder + "../cifar10/test_batch_000-499_lossless.bin");
  REQUIRE(records.size() == 500 * 3073);
  Tensor images = empty({500, 3, 32, 32}, DType::u8);
  for (size_t i = 0; i < 500; ++i) std::memcpy(images.mutable_data<uint8_t>() + i * 3072, records.data() + i * 3073 + 1, 3072);
  const data::Preprocess& p = models::preset(preset);
  const Tensor mean = tensor({p.mean[0], p.mean[1], p.mean[2]}, {3, 1, 1}), std = tensor({p.std[0], p.std[1], p.std[2]}, {3, 1, 1});
  const Tensor logits = (*model)((to(images, DType::f32) - mean) / std);

  std::ifstream in(folder + golden);
  const auto expected = nlohmann::json::parse(in)[key];
  for (int64_t i = 0; i < 8; ++i)
    for (int64_t c = 0; c < 10; ++c)
      REQUIRE(logits(i, c).item() == Approx(expected["logits_first8"][static_cast<size_t>(i)][static_cast<size_t>(c)].get<double>()).margin(1.1e-4));
  const Tensor best = contiguous(argmax(logits, 1));
  int right = 0;
  for (size_t i = 0; i < 500; ++i) right += best.data<int64_t>()[i] == records[i * 3073];
  REQUIRE(right == std::lround(500 * expected["accuracy_dev_test500"].get<double>()));
}

// The tensors under new names: the first rule whose beginning fits counts.
StateDict renamed(const StateDict& state, const std::vector<std::pair<std::string, std::string>>& rules) {
  StateDict result;
  for (const auto& [name, t] : state) {
    std::string now = name;
    for (const auto& [from, to] : rules)
      if (name.starts_with(from)) {
        now = to + name.substr(from.size());
        break;
      }
    result.set(now, t);
  }
  return result;
}

// Where the file's decoder has what comes from below in front of the skip connection, which ours has first: [K, below + skip, R, S].
Tensor skip_first(const Tensor& weight, int64_t skip) {
  const int64_t below = weight.size(1) - skip;
  return cat({narrow(weight, 1, below, skip), narrow(weight, 1, 0, below)}, 1);
}

}  // namespace

TEST_CASE("pretrained: EfficientNet-Lite0 gives PyTorch's logits", "[data]") {
  check_imagenet("efficientnet_lite0", "efficientnet_lite0/efficientnet-lite0-57934424.pth", "efficientnet_lite0");
}

TEST_CASE("pretrained: SqueezeNet 1.1 gives PyTorch's logits, and its file is recognised", "[data]") {
  check_imagenet("squeezenet1_1", "squeezenet1_1/squeezenet1_1_caffe_fp16.safetensors", "squeezenet_caffe");
}

TEST_CASE("pretrained: ResNet-20 and ResNet-56 on CIFAR-10", "[data]") {
  check_cifar("resnet20", "resnet_cifar10/resnet20-12fca82f.th", "resnet_cifar10/golden/golden.json", "resnet20-12fca82f", "cifar10");
  check_cifar("resnet56", "resnet_cifar10/resnet56-4bfd9763.th", "resnet_cifar10/golden/golden.json", "resnet56-4bfd9763", "cifar10");
}

TEST_CASE("pretrained: a Vision Transformer on CIFAR-10", "[data]") {
  check_cifar("vit_cifar10", "vit_cifar10/vit_cifar10.pth", "vit_cifar10/golden/golden.json", "vit_cifar10", "cifar10_own");
}

TEST_CASE("pretrained: a U-Net for tents, without biases", "[data]") {
  const std::string folder = weights_folder();
  if (folder.empty()) return;
  const InferenceMode inference;
  models::UNet model({.in_channels = 3, .classes = 1, .width = 16, .depth = 2, .bias = false});
  const StateDict state = renamed(load_weights(folder + "unet_tents/UNet.pth"), {{"encoder.encoder_blocks.0.double_conv2d.", "inc."},
                                                                                 {"encoder.encoder_blocks.1.double_conv2d.", "down.0."},
                                                                                 {"encoder.encoder_blocks.2.double_conv2d.", "down.1."},
                                                                                 {"decoder.up_convs.", "up."},
                                                                                 {"decoder.decoder_blocks.0.double_conv2d.", "conv.0."},
                                                                                 {"decoder.decoder_blocks.1.double_conv2d.", "conv.1."},
                                                                                 {"head.", "out."}});
  StateDict ours;
  for (const auto& [name, t] : state)
    ours.set(name, name == "conv.0.0.weight" ? skip_first(t, 32) : name == "conv.1.0.weight" ? skip_first(t, 16) : t);
  REQUIRE(model.load_state_dict(ours).complete());
  model.eval();
  const Tensor image = test::load_npy(folder + "unet_tents/golden/input_3x256x256_u8_rgb.npy");
  const Tensor logits = model(unsqueeze(to(image, DType::f32) / 255, 0));
  REQUIRE(greatest_difference(logits, test::load_npy(folder + "unet_tents/golden/output_logits_256x256_f32.npy")) <= 1e-4);
}

TEST_CASE("pretrained: a U-Net for vessels of the retina, without norm, by nearest neighbours", "[data]") {
  const std::string folder = weights_folder();
  if (folder.empty()) return;
  const InferenceMode inference;
  models::UNet model({.in_channels = 1, .classes = 2, .width = 32, .depth = 2, .up = models::Upsampling::nearest, .norm = false});
  const StateDict state = renamed(load_weights(folder + "unet_retina/unet_retina.safetensors"), {{"conv10.", "conv.1.2."},
                                                                                                 {"conv11.", "out."},
                                                                                                 {"conv1.", "inc.0."},
                                                                                                 {"conv2.", "inc.2."},
                                                                                                 {"conv3.", "down.0.0."},
                                                                                                 {"conv4.", "down.0.2."},
                                                                                                 {"conv5.", "down.1.0."},
                                                                                                 {"conv6.", "down.1.2."},
                                                                                                 {"conv7.", "conv.0.0."},
                                                                                                 {"conv8.", "conv.0.2."},
                                                                                                 {"conv9.", "conv.1.0."}});
  StateDict ours;
  for (const auto& [name, t] : state)
    ours.set(name, name == "conv.0.0.weight" ? skip_first(t, 64) : name == "conv.1.0.weight" ? skip_first(t, 32) : t);
  REQUIRE(model.load_state_dict(ours).complete());
  model.eval();
  const Tensor image = test::load_npy(folder + "unet_retina/golden/input_1x128x128_u8.npy");
  const Tensor probability = softmax(relu(model(unsqueeze(to(image, DType::f32) / 255, 0))), 1);
  REQUIRE(greatest_difference(select(probability, 1, 1), test::load_npy(folder + "unet_retina/golden/output_vessel_prob_128x128_f32.npy")) <= 1e-4);
}

}  // namespace tapetum
