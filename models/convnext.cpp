#include "models/convnext.h"

#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"
#include "models/blocks.h"
#include "models/families.h"
#include "models/initial.h"
#include "nn/activation.h"
#include "nn/linear.h"
#include "nn/shape.h"

namespace tapetum::models {
namespace {

constexpr double kEps = 1e-6;

nn::Sequential body(const ConvNeXtOptions& o) {
  check_positive("ConvNeXt", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  int64_t blocks = 0, index = 0;
  for (size_t i = 0; i < o.depths.size(); ++i) {
    check_positive("ConvNeXt", {{"depths", o.depths[i]}, {"dims", o.dims[i]}});
    blocks += o.depths[i];
  }
  nn::Sequential layers;
  layers.add(nn::Sequential(nn::Conv2d(o.in_channels, o.dims[0], 4, {.stride = 4}), nn::LayerNorm2d(o.dims[0], {.eps = kEps})));
  for (size_t i = 0; i < o.depths.size(); ++i) {
    if (i > 0) layers.add(nn::Sequential(nn::LayerNorm2d(o.dims[i - 1], {.eps = kEps}), nn::Conv2d(o.dims[i - 1], o.dims[i], 2, {.stride = 2})));
    nn::Sequential stage;
    for (int64_t j = 0; j < o.depths[i]; ++j, ++index)
      stage.add(ConvNeXtBlock(o.dims[i], o.layer_scale, o.drop_path * static_cast<double>(index) / static_cast<double>(blocks - 1)));
    layers.add(std::move(stage));
  }
  return layers;
}

}  // namespace

// A linear map of each pixel is a 1 x 1 convolution; with the channels last it is one matrix product.
ConvNeXtBlock::ConvNeXtBlock(int64_t dim, double layer_scale, double drop_path)
    : layer_scale(full({dim, 1, 1}, layer_scale)),
      block(nn::Conv2d(dim, dim, 7, {.padding = 3, .groups = dim}), nn::Permute({0, 2, 3, 1}), nn::LayerNorm(dim, {.eps = kEps}),
            nn::Linear(dim, 4 * dim), nn::GELU(), nn::Linear(4 * dim, dim), nn::Permute({0, 3, 1, 2})),
      stochastic_depth(drop_path) {}

void ConvNeXtBlock::visit(nn::Visitor& v) {
  v.parameter("layer_scale", layer_scale);
  v("block", block);
  v("stochastic_depth", stochastic_depth);
}

Tensor ConvNeXtBlock::forward(const Tensor& x) { return x + stochastic_depth(layer_scale * block(x)); }

ConvNeXt::ConvNeXt(const ConvNeXtOptions& o)
    : options(o), features(body(o)), classifier(nn::LayerNorm2d(o.dims[3], {.eps = kEps}), nn::Flatten(1), nn::Linear(o.dims[3], o.classes)) {
  initial::normal_convolutions(*this, 0.02);
  initial::normal_linear(*this, 0.02);
}

void ConvNeXt::visit(nn::Visitor& v) {
  v("features", features);
  v("classifier", classifier);
}

Tensor ConvNeXt::forward_features(const Tensor& x) {
  check_images("ConvNeXt", x, options.in_channels, 32);
  return run(classifier, mean(features(x), {2, 3}, true), 0, 2);
}

Offers convnext_offers() {
  return {{{"convnext_tiny", "convnext", 1000, 224, "Liu et al. 2022, arXiv:2201.03545"}, [](const CreateOptions& o) {
             return nn::Box<Classifier>(ConvNeXt({.drop_path = given_or(o.drop_path, 0.1), .in_channels = o.in_channels, .classes = o.classes}));
           }}};
}

}  // namespace tapetum::models
