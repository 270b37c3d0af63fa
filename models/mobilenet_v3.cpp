#include "models/mobilenet_v3.h"

#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"
#include "models/blocks.h"
#include "models/families.h"
#include "models/initial.h"
#include "nn/activation.h"
#include "nn/dropout.h"
#include "nn/linear.h"

namespace tapetum::models {
namespace {

constexpr MobileNetV3Row kLarge[] = {{16, 3, 16, 16, false, false, 1},  {16, 3, 64, 24, false, false, 2},  {24, 3, 72, 24, false, false, 1},
                                     {24, 5, 72, 40, true, false, 2},   {40, 5, 120, 40, true, false, 1},  {40, 5, 120, 40, true, false, 1},
                                     {40, 3, 240, 80, false, true, 2},  {80, 3, 200, 80, false, true, 1},  {80, 3, 184, 80, false, true, 1},
                                     {80, 3, 184, 80, false, true, 1},  {80, 3, 480, 112, true, true, 1},  {112, 3, 672, 112, true, true, 1},
                                     {112, 5, 672, 160, true, true, 2}, {160, 5, 960, 160, true, true, 1}, {160, 5, 960, 160, true, true, 1}};
constexpr MobileNetV3Row kSmall[] = {{16, 3, 16, 16, true, false, 2}, {16, 3, 72, 24, false, false, 2}, {24, 3, 88, 24, false, false, 1},
                                     {24, 5, 96, 40, true, true, 2},  {40, 5, 240, 40, true, true, 1},  {40, 5, 240, 40, true, true, 1},
                                     {40, 5, 120, 48, true, true, 1}, {48, 5, 144, 48, true, true, 1},  {48, 5, 288, 96, true, true, 2},
                                     {96, 5, 576, 96, true, true, 1}, {96, 5, 576, 96, true, true, 1}};

// All norms of this network have TensorFlow's values.
ConvNormActivation conv_norm(int64_t in, int64_t out, int64_t kernel_size, int64_t stride, int64_t groups, Activation activation) {
  return ConvNormActivation(
      in, out, {.kernel_size = kernel_size, .stride = stride, .groups = groups, .activation = activation, .eps = 1e-3, .momentum = 0.01});
}

int64_t last_channels(MobileNetV3Size size) { return size == MobileNetV3Size::large ? 960 : 576; }
int64_t hidden_features(MobileNetV3Size size) { return size == MobileNetV3Size::large ? 1280 : 1024; }

nn::Sequential body(const MobileNetV3Options& o) {
  check_positive("MobileNetV3", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  nn::Sequential layers;
  layers.add(conv_norm(o.in_channels, 16, 3, 2, 1, Activation::hardswish));
  if (o.size == MobileNetV3Size::large)
    for (const MobileNetV3Row& row : kLarge) layers.add(MobileNetV3Block(row));
  else
    for (const MobileNetV3Row& row : kSmall) layers.add(MobileNetV3Block(row));
  layers.add(conv_norm(last_channels(o.size) / 6, last_channels(o.size), 1, 1, 1, Activation::hardswish));
  return layers;
}

}  // namespace

MobileNetV3Block::MobileNetV3Block(const MobileNetV3Row& row) : residual(row.stride == 1 && row.in == row.out) {
  const Activation activation = row.hard_swish ? Activation::hardswish : Activation::relu;
  if (row.expanded != row.in) block.add(conv_norm(row.in, row.expanded, 1, 1, 1, activation));
  block.add(conv_norm(row.expanded, row.expanded, row.kernel_size, row.stride, row.expanded, activation));
  if (row.squeeze) block.add(SqueezeExcitation(row.expanded, divisible_by_8(static_cast<double>(row.expanded / 4)), SqueezeExcitation::Form::hard));
  block.add(conv_norm(row.expanded, row.out, 1, 1, 1, Activation::none));
}

Tensor MobileNetV3Block::forward(const Tensor& x) { return residual ? x + block(x) : block(x); }

MobileNetV3::MobileNetV3(const MobileNetV3Options& o)
    : options(o),
      features(body(o)),
      classifier(nn::Linear(last_channels(o.size), hidden_features(o.size)), nn::Hardswish(), nn::Dropout(o.dropout),
                 nn::Linear(hidden_features(o.size), o.classes)) {
  initial::kaiming_fan_out(*this);
  initial::normal_linear(*this, 0.01);
}

void MobileNetV3::visit(nn::Visitor& v) {
  v("features", features);
  v("classifier", classifier);
}

Tensor MobileNetV3::forward_features(const Tensor& x) {
  check_images("MobileNetV3", x, options.in_channels, 1);
  return run(classifier, mean(features(x), {2, 3}), 0, 2);
}

Tensor MobileNetV3::forward_head(const Tensor& features) { return run(classifier, features, 2, 4); }

namespace {

nn::Box<Classifier> make(MobileNetV3Size size, const CreateOptions& o) {
  return nn::Box<Classifier>(MobileNetV3({.size = size, .dropout = given_or(o.dropout, 0.2), .in_channels = o.in_channels, .classes = o.classes}));
}

}  // namespace

Offers mobilenet_v3_offers() {
  constexpr const char* paper = "Howard et al. 2019, arXiv:1905.02244";
  return {{{"mobilenet_v3_small", "mobilenet_v3", 1000, 224, paper}, [](const CreateOptions& o) { return make(MobileNetV3Size::small, o); }},
          {{"mobilenet_v3_large", "mobilenet_v3", 1000, 224, paper}, [](const CreateOptions& o) { return make(MobileNetV3Size::large, o); }}};
}

}  // namespace tapetum::models
