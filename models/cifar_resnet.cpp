#include "models/cifar_resnet.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/ops/activation.h"
#include "core/ops/elementwise.h"
#include "core/ops/pad.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"
#include "models/families.h"
#include "nn/fuse.h"
#include "nn/init.h"

namespace tapetum::models {
namespace {

const CifarResNetOptions& checked(const CifarResNetOptions& o) {
  check_positive("CifarResNet", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  if (o.depth < 8 || o.depth % 6 != 2) throw Error(fmt::format("CifarResNet: depth must be 6 n + 2, got {}", o.depth));
  return o;
}

nn::Sequential stage(int64_t depth, int64_t in, int64_t out, int64_t stride) {
  nn::Sequential blocks;
  for (int64_t i = 0; i < (depth - 2) / 6; ++i) blocks.add(CifarResNetBlock(i ? out : in, out, i ? 1 : stride));
  return blocks;
}

Tensor shortcut(const Tensor& x, int64_t channels, int64_t stride) {
  if (stride == 1) return x;
  const int64_t more = channels - x.size(1);
  return pad(slice(slice(x, 2, 0, x.size(2), stride), 3, 0, x.size(3), stride), {0, 0, 0, 0, more / 2, more - more / 2});
}

nn::Box<Classifier> make(int64_t depth, const CreateOptions& o) {
  return nn::Box<Classifier>(CifarResNet({.depth = depth, .in_channels = o.in_channels, .classes = o.classes}));
}

}  // namespace

CifarResNetBlock::CifarResNetBlock(int64_t in, int64_t out, int64_t stride)
    : conv1(in, out, 3, {.stride = stride, .padding = 1, .bias = false}), bn1(out), conv2(out, out, 3, {.padding = 1, .bias = false}), bn2(out) {}

void CifarResNetBlock::visit(nn::Visitor& v) {
  v("conv1", conv1);
  v("bn1", bn1);
  v("conv2", conv2);
  v("bn2", bn2);
}

Tensor CifarResNetBlock::forward(const Tensor& x) {
  const Tensor y = conv_norm_act(conv1, bn1, ConvActivation::relu, x);
  return conv_norm_act(conv2, bn2, ConvActivation::relu, y, shortcut(x, y.size(1), conv1.options.stride.h));
}

CifarResNet::CifarResNet(const CifarResNetOptions& o)
    : options(checked(o)),
      conv1(o.in_channels, 16, 3, {.padding = 1, .bias = false}),
      bn1(16),
      layer1(stage(o.depth, 16, 16, 1)),
      layer2(stage(o.depth, 16, 32, 2)),
      layer3(stage(o.depth, 32, 64, 2)),
      linear(64, o.classes) {
  for_each([](nn::Module& m) {
    if (auto* conv = dynamic_cast<nn::Conv2d*>(&m)) nn::init::kaiming_normal_(conv->weight);
  });
  nn::init::kaiming_normal_(linear.weight);
}

void CifarResNet::visit(nn::Visitor& v) {
  v("conv1", conv1);
  v("bn1", bn1);
  v("layer1", layer1);
  v("layer2", layer2);
  v("layer3", layer3);
  v("linear", linear);
}

Tensor CifarResNet::forward_features(const Tensor& x) {
  check_images("CifarResNet", x, options.in_channels, 1);
  return mean(layer3(layer2(layer1(conv_norm_act(conv1, bn1, ConvActivation::relu, x)))), {2, 3});
}

Offers cifar_resnet_offers() {
  constexpr const char* paper = "He et al. 2015, arXiv:1512.03385, section 4.2";
  return {{{"resnet20", "cifar_resnet", 10, 32, paper}, [](const CreateOptions& o) { return make(20, o); }},
          {{"resnet32", "cifar_resnet", 10, 32, paper}, [](const CreateOptions& o) { return make(32, o); }},
          {{"resnet44", "cifar_resnet", 10, 32, paper}, [](const CreateOptions& o) { return make(44, o); }},
          {{"resnet56", "cifar_resnet", 10, 32, paper}, [](const CreateOptions& o) { return make(56, o); }},
          {{"resnet110", "cifar_resnet", 10, 32, paper}, [](const CreateOptions& o) { return make(110, o); }}};
}

}  // namespace tapetum::models
