#include "models/presets.h"

#include <fmt/format.h>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "core/serialization/crc.h"

namespace tapetum::models {
namespace {

using data::Filter;

// ImageNet's moments in levels of 0 to 255, as nearly every network of it has been trained with: .485 .456 .406 and .229 .224 .225.
constexpr std::array<double, 3> kMean = {123.675, 116.28, 103.53}, kStd = {58.395, 57.12, 57.375};

struct Known {
  uint32_t fingerprint;
  const char* preset;
};
constexpr Known kKnown[] = {{0xCEBFA399, "squeezenet_caffe"}};

// Models whose usual preset is another than "imagenet".
struct Usual {
  const char* model;
  const char* preset;
};
constexpr Usual kUsual[] = {{"efficientnet_lite0", "efficientnet_lite0"},
                            {"efficientnet_b0", "imagenet_bicubic"},
                            {"convnext_tiny", "imagenet_236"},
                            {"resnet20", "cifar10"},
                            {"resnet32", "cifar10"},
                            {"resnet44", "cifar10"},
                            {"resnet56", "cifar10"},
                            {"resnet110", "cifar10"},
                            {"vit_cifar10", "cifar10_own"},
                            {"simple_cnn", "cifar10_own"},
                            {"lenet5", "mnist"}};

}  // namespace

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {
      {"imagenet", "torchvision's first weights of most models", {.mean = kMean, .std = kStd}},
      {"imagenet_bicubic", "EfficientNet-B0", {.interpolation = Filter::bicubic, .mean = kMean, .std = kStd}},
      {"imagenet_236", "ConvNeXt-Tiny", {.resize = 236, .mean = kMean, .std = kStd}},
      {"efficientnet_lite0",
       "EfficientNet-Lite0",
       {.interpolation = Filter::bicubic, .mean = {127, 127, 127}, .std = {128, 128, 128}, .rounding = data::Rounding::nearest}},
      {"squeezenet_caffe",
       "SqueezeNet 1.1 of its authors",
       {.crop = 227, .mean = {123, 117, 104}, .std = {1, 1, 1}, .rounding = data::Rounding::nearest}},
      {"cifar10", "CIFAR ResNets: 32 x 32, ImageNet's moments", {.resize = 32, .crop = 32, .mean = kMean, .std = kStd}},
      {"cifar10_own",
       "32 x 32, CIFAR-10's own moments",
       {.resize = 32, .crop = 32, .mean = {125.307, 122.961, 113.8575}, .std = {51.5865, 50.847, 51.255}}},
      {"mnist", "gray 32 x 32", {.resize = 32, .crop = 32, .mean = {33.3285, 0, 0}, .std = {78.5655, 1, 1}, .order = data::ChannelOrder::gray}},
  };
  return all;
}

const data::Preprocess& preset(const std::string& name) {
  std::vector<std::string> names;
  for (const Preset& p : presets()) {
    if (name == p.name) return p.preprocess;
    names.push_back(p.name);
  }
  throw Error(fmt::format("no preset is called '{}'; there are {}", name, fmt::join(names, ", ")));
}

ChosenPreset preset_for(const std::string& model, const StateDict& weights, const Metadata& metadata) {
  if (const auto own = metadata.find("preprocess"); own != metadata.end()) return {data::parse_preprocess(own->second), "from the file"};
  const uint32_t print = fingerprint(weights);
  for (const Known& k : kKnown)
    if (print == k.fingerprint) return {preset(k.preset), fmt::format("{}: these weights are known", k.preset)};
  for (const Usual& u : kUsual)
    if (model == u.model) return {preset(u.preset), fmt::format("{}: usual for {}", u.preset, model)};
  return {preset("imagenet"), fmt::format("imagenet: usual for {}", model)};
}

uint32_t fingerprint(const StateDict& weights) {
  if (weights.size() == 0) return 0;
  NoGrad no_grad;
  const Tensor first = contiguous(to(to(weights.begin()->second, Device()), DType::f32));
  return crc32(first.raw(), static_cast<size_t>(first.numel()) * sizeof(float));
}

}  // namespace tapetum::models
