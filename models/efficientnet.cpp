#include "models/efficientnet.h"

#include <algorithm>

#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"
#include "models/blocks.h"
#include "models/families.h"
#include "models/initial.h"
#include "nn/linear.h"

namespace tapetum::models {
namespace {

nn::Sequential body(const EfficientNetOptions& o) {
  check_positive("EfficientNet", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  nn::Sequential layers;
  layers.add(ConvNormActivation(o.in_channels, 32, {.stride = 2, .activation = Activation::silu}));
  int64_t in = 32, index = 0;
  for (const EfficientNetStage& s : kEfficientNetB0) {
    nn::Sequential stage;
    for (int64_t i = 0; i < s.blocks; ++i, ++index, in = s.out)
      stage.add(MBConv(in, s.out, s.expand, s.kernel_size, i == 0 ? s.stride : 1,
                       o.drop_path * static_cast<double>(index) / static_cast<double>(kEfficientNetB0Blocks)));
    layers.add(std::move(stage));
  }
  layers.add(ConvNormActivation(in, 1280, {.kernel_size = 1, .activation = Activation::silu}));
  return layers;
}

}  // namespace

// The squeezed channels are a quarter of the block's input, not of the expanded ones.
MBConv::MBConv(int64_t in, int64_t out, int64_t expand, int64_t kernel_size, int64_t stride, double drop_path)
    : stochastic_depth(drop_path), residual(stride == 1 && in == out) {
  const int64_t hidden = in * expand;
  if (expand != 1) block.add(ConvNormActivation(in, hidden, {.kernel_size = 1, .activation = Activation::silu}));
  block.add(ConvNormActivation(hidden, hidden, {.kernel_size = kernel_size, .stride = stride, .groups = hidden, .activation = Activation::silu}));
  block.add(SqueezeExcitation(hidden, std::max<int64_t>(1, in / 4), SqueezeExcitation::Form::smooth));
  block.add(ConvNormActivation(hidden, out, {.kernel_size = 1, .activation = Activation::none}));
}

void MBConv::visit(nn::Visitor& v) {
  v("block", block);
  v("stochastic_depth", stochastic_depth);
}

Tensor MBConv::forward(const Tensor& x) { return residual ? x + stochastic_depth(block(x)) : block(x); }

EfficientNet::EfficientNet(const EfficientNetOptions& o)
    : options(o), features(body(o)), classifier(nn::Dropout(o.dropout), nn::Linear(1280, o.classes)) {
  initial::kaiming_fan_out(*this);
  initial::uniform_by_outputs(static_cast<nn::Linear&>(classifier[1]));
}

void EfficientNet::visit(nn::Visitor& v) {
  v("features", features);
  v("classifier", classifier);
}

Tensor EfficientNet::forward_features(const Tensor& x) {
  check_images("EfficientNet", x, options.in_channels, 1);
  return mean(features(x), {2, 3});
}

Offers efficientnet_offers() {
  return {{{"efficientnet_b0", "efficientnet", 1000, 224, "Tan and Le 2019, arXiv:1905.11946"}, [](const CreateOptions& o) {
             return nn::Box<Classifier>(EfficientNet(
                 {.dropout = given_or(o.dropout, 0.2), .drop_path = given_or(o.drop_path, 0.2), .in_channels = o.in_channels, .classes = o.classes}));
           }}};
}

}  // namespace tapetum::models
