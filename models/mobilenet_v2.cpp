#include "models/mobilenet_v2.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"
#include "models/blocks.h"
#include "models/families.h"
#include "models/initial.h"
#include "nn/dropout.h"
#include "nn/linear.h"

namespace tapetum::models {
namespace {

// Table 2 of the paper: the first of `blocks` has the stride.
struct Stage {
  int64_t expand, out, blocks, stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

int64_t last_channels(double width) { return divisible_by_8(1280 * std::max(1.0, width)); }

nn::Sequential body(const MobileNetV2Options& o) {
  check_positive("MobileNetV2", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  if (!(o.width > 0)) throw Error(fmt::format("MobileNetV2: width must be positive, got {}", o.width));
  int64_t in = divisible_by_8(32 * o.width);
  nn::Sequential layers;
  layers.add(ConvNormActivation(o.in_channels, in, {.stride = 2, .activation = Activation::relu6}));
  for (const Stage& s : kStages)
    for (int64_t i = 0; i < s.blocks; ++i) {
      const int64_t out = divisible_by_8(static_cast<double>(s.out) * o.width);
      layers.add(InvertedResidual(in, out, i == 0 ? s.stride : 1, s.expand));
      in = out;
    }
  layers.add(ConvNormActivation(in, last_channels(o.width), {.kernel_size = 1, .activation = Activation::relu6}));
  return layers;
}

}  // namespace

InvertedResidual::InvertedResidual(int64_t in, int64_t out, int64_t stride, int64_t expand) : residual(stride == 1 && in == out) {
  const int64_t hidden = in * expand;
  if (expand != 1) conv.add(ConvNormActivation(in, hidden, {.kernel_size = 1, .activation = Activation::relu6}));
  conv.add(ConvNormActivation(hidden, hidden, {.stride = stride, .groups = hidden, .activation = Activation::relu6}));
  conv.add(nn::Conv2d(hidden, out, 1, {.bias = false}));
  conv.add(nn::BatchNorm2d(out));
}

Tensor InvertedResidual::forward(const Tensor& x) { return residual ? x + conv(x) : conv(x); }

MobileNetV2::MobileNetV2(const MobileNetV2Options& o)
    : options(o), features(body(o)), classifier(nn::Dropout(o.dropout), nn::Linear(last_channels(o.width), o.classes)) {
  initial::kaiming_fan_out(*this);
  initial::normal_linear(*this, 0.01);
}

void MobileNetV2::visit(nn::Visitor& v) {
  v("features", features);
  v("classifier", classifier);
}

Tensor MobileNetV2::forward_features(const Tensor& x) {
  check_images("MobileNetV2", x, options.in_channels, 1);
  return mean(features(x), {2, 3});
}

Offers mobilenet_v2_offers() {
  return {{{"mobilenet_v2", "mobilenet_v2", 1000, 224, "Sandler et al. 2018, arXiv:1801.04381"}, [](const CreateOptions& o) {
             return nn::Box<Classifier>(MobileNetV2({.dropout = given_or(o.dropout, 0.2), .in_channels = o.in_channels, .classes = o.classes}));
           }}};
}

}  // namespace tapetum::models
