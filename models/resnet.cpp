#include "models/resnet.h"

#include "core/ops/activation.h"
#include "core/ops/elementwise.h"
#include "core/ops/pool.h"
#include "core/ops/reduce.h"
#include "models/families.h"
#include "models/initial.h"
#include "nn/fuse.h"
#include "nn/init.h"

namespace tapetum::models {
namespace {

const ResNetOptions& checked(const ResNetOptions& o) {
  check_positive("ResNet", {{"in_channels", o.in_channels}, {"classes", o.classes}, {"groups", o.groups}, {"width_per_group", o.width_per_group}});
  for (const int64_t blocks : o.layers) check_positive("ResNet", {{"layers", blocks}});
  return o;
}

int64_t expansion(ResNetBlock block) { return block == ResNetBlock::basic ? 1 : 4; }

nn::Conv2d conv3x3(int64_t in, int64_t out, int64_t stride, int64_t groups) {
  return nn::Conv2d(in, out, 3, {.stride = stride, .padding = 1, .groups = groups, .bias = false});
}
nn::Conv2d conv1x1(int64_t in, int64_t out, int64_t stride = 1) { return nn::Conv2d(in, out, 1, {.stride = stride, .bias = false}); }

std::optional<nn::Sequential> projection(int64_t in, int64_t out, int64_t stride) {
  if (stride == 1 && in == out) return std::nullopt;
  return nn::Sequential(conv1x1(in, out, stride), nn::BatchNorm2d(out));
}

// Stage 0 keeps the size, the others halve it.
nn::Sequential stage(const ResNetOptions& o, int index) {
  const int64_t planes = int64_t{64} << index, out = planes * expansion(o.block);
  nn::Sequential blocks;
  for (int64_t i = 0; i < o.layers[index]; ++i) {
    const int64_t in = i ? out : index ? out / 2 : 64, stride = i || index == 0 ? 1 : 2;
    if (o.block == ResNetBlock::basic)
      blocks.add(BasicBlock(in, planes, stride));
    else
      blocks.add(Bottleneck(in, planes, stride, o.groups, o.width_per_group));
  }
  return blocks;
}

int64_t bottleneck_width(int64_t planes, int64_t groups, int64_t width_per_group) { return planes * width_per_group / 64 * groups; }

}  // namespace

BasicBlock::BasicBlock(int64_t in, int64_t planes, int64_t stride)
    : conv1(conv3x3(in, planes, stride, 1)),
      bn1(planes),
      conv2(conv3x3(planes, planes, 1, 1)),
      bn2(planes),
      downsample(projection(in, planes, stride)) {}

void BasicBlock::visit(nn::Visitor& v) {
  v("conv1", conv1);
  v("bn1", bn1);
  v("conv2", conv2);
  v("bn2", bn2);
  v("downsample", downsample);
}

Tensor BasicBlock::forward(const Tensor& x) {
  const Tensor y = conv_norm_act(conv1, bn1, ConvActivation::relu, x);
  return conv_norm_act(conv2, bn2, ConvActivation::relu, y, downsample ? (*downsample)(x) : x);
}

Bottleneck::Bottleneck(int64_t in, int64_t planes, int64_t stride, int64_t groups, int64_t width_per_group)
    : conv1(conv1x1(in, bottleneck_width(planes, groups, width_per_group))),
      bn1(conv1.weight.size(0)),
      conv2(conv3x3(conv1.weight.size(0), conv1.weight.size(0), stride, groups)),
      bn2(conv1.weight.size(0)),
      conv3(conv1x1(conv1.weight.size(0), 4 * planes)),
      bn3(4 * planes),
      downsample(projection(in, 4 * planes, stride)) {}

void Bottleneck::visit(nn::Visitor& v) {
  v("conv1", conv1);
  v("bn1", bn1);
  v("conv2", conv2);
  v("bn2", bn2);
  v("conv3", conv3);
  v("bn3", bn3);
  v("downsample", downsample);
}

Tensor Bottleneck::forward(const Tensor& x) {
  const Tensor few = conv_norm_act(conv1, bn1, ConvActivation::relu, x);
  const Tensor y = conv_norm_act(conv2, bn2, ConvActivation::relu, few);
  return conv_norm_act(conv3, bn3, ConvActivation::relu, y, downsample ? (*downsample)(x) : x);
}

ResNet::ResNet(const ResNetOptions& o)
    : options(checked(o)),
      conv1(o.in_channels, 64, 7, {.stride = 2, .padding = 3, .bias = false}),
      bn1(64),
      layer1(stage(o, 0)),
      layer2(stage(o, 1)),
      layer3(stage(o, 2)),
      layer4(stage(o, 3)),
      fc(512 * expansion(o.block), o.classes) {
  initial::kaiming_fan_out(*this);
  if (!o.zero_init_residual) return;
  for_each([](nn::Module& m) {
    if (auto* basic = dynamic_cast<BasicBlock*>(&m)) nn::init::zeros_(basic->bn2.weight);
    if (auto* bottleneck = dynamic_cast<Bottleneck*>(&m)) nn::init::zeros_(bottleneck->bn3.weight);
  });
}

void ResNet::visit(nn::Visitor& v) {
  v("conv1", conv1);
  v("bn1", bn1);
  v("layer1", layer1);
  v("layer2", layer2);
  v("layer3", layer3);
  v("layer4", layer4);
  v("fc", fc);
}

Tensor ResNet::forward_features(const Tensor& x) {
  check_images("ResNet", x, options.in_channels, 1);
  const Tensor stem = max_pool2d(conv_norm_act(conv1, bn1, ConvActivation::relu, x), 3, {.stride = 2, .padding = 1});
  return mean(layer4(layer3(layer2(layer1(stem)))), {2, 3});
}

namespace {

using enum ResNetBlock;
constexpr ResNetOptions k18{.block = basic, .layers = {2, 2, 2, 2}};
constexpr ResNetOptions k34{.block = basic, .layers = {3, 4, 6, 3}};
constexpr ResNetOptions k50{.block = bottleneck, .layers = {3, 4, 6, 3}};
constexpr ResNetOptions k101{.block = bottleneck, .layers = {3, 4, 23, 3}};
constexpr ResNetOptions k152{.block = bottleneck, .layers = {3, 8, 36, 3}};
constexpr ResNetOptions kNext50_32x4{.block = bottleneck, .layers = {3, 4, 6, 3}, .groups = 32, .width_per_group = 4};
constexpr ResNetOptions kNext101_32x8{.block = bottleneck, .layers = {3, 4, 23, 3}, .groups = 32, .width_per_group = 8};
constexpr ResNetOptions kNext101_64x4{.block = bottleneck, .layers = {3, 4, 23, 3}, .groups = 64, .width_per_group = 4};
constexpr ResNetOptions kWide50{.block = bottleneck, .layers = {3, 4, 6, 3}, .width_per_group = 128};
constexpr ResNetOptions kWide101{.block = bottleneck, .layers = {3, 4, 23, 3}, .width_per_group = 128};

nn::Box<Classifier> make(ResNetOptions options, const CreateOptions& o) {
  options.in_channels = o.in_channels;
  options.classes = o.classes;
  return nn::Box<Classifier>(ResNet(options));
}

}  // namespace

Offers resnet_offers() {
  constexpr const char *deep = "He et al. 2015, arXiv:1512.03385", *next = "Xie et al. 2016, arXiv:1611.05431",
                       *wide = "Zagoruyko and Komodakis 2016, arXiv:1605.07146";
  const auto entry = [](const char* name, const char* paper) { return ModelEntry{name, "resnet", 1000, 224, paper}; };
  return {{entry("resnet18", deep), [](const CreateOptions& o) { return make(k18, o); }},
          {entry("resnet34", deep), [](const CreateOptions& o) { return make(k34, o); }},
          {entry("resnet50", deep), [](const CreateOptions& o) { return make(k50, o); }},
          {entry("resnet101", deep), [](const CreateOptions& o) { return make(k101, o); }},
          {entry("resnet152", deep), [](const CreateOptions& o) { return make(k152, o); }},
          {entry("resnext50_32x4d", next), [](const CreateOptions& o) { return make(kNext50_32x4, o); }},
          {entry("resnext101_32x8d", next), [](const CreateOptions& o) { return make(kNext101_32x8, o); }},
          {entry("resnext101_64x4d", next), [](const CreateOptions& o) { return make(kNext101_64x4, o); }},
          {entry("wide_resnet50_2", wide), [](const CreateOptions& o) { return make(kWide50, o); }},
          {entry("wide_resnet101_2", wide), [](const CreateOptions& o) { return make(kWide101, o); }}};
}

}  // namespace tapetum::models
