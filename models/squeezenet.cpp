#include "models/squeezenet.h"

#include "core/ops/activation.h"
#include "core/ops/view.h"
#include "models/families.h"
#include "nn/activation.h"
#include "nn/dropout.h"
#include "nn/init.h"
#include "nn/pool.h"

namespace tapetum::models {
namespace {

nn::MaxPool2d halving() { return nn::MaxPool2d(3, {.stride = 2, .ceil_mode = true}); }

nn::Sequential body(const SqueezeNetOptions& o) {
  check_positive("SqueezeNet", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  if (o.version == SqueezeNetVersion::v1_0)
    return nn::Sequential(nn::Conv2d(o.in_channels, 96, 7, {.stride = 2}), nn::ReLU(), halving(), Fire(96, 16, 64, 64), Fire(128, 16, 64, 64),
                          Fire(128, 32, 128, 128), halving(), Fire(256, 32, 128, 128), Fire(256, 48, 192, 192), Fire(384, 48, 192, 192),
                          Fire(384, 64, 256, 256), halving(), Fire(512, 64, 256, 256));
  return nn::Sequential(nn::Conv2d(o.in_channels, 64, 3, {.stride = 2}), nn::ReLU(), halving(), Fire(64, 16, 64, 64), Fire(128, 16, 64, 64),
                        halving(), Fire(128, 32, 128, 128), Fire(256, 32, 128, 128), halving(), Fire(256, 48, 192, 192), Fire(384, 48, 192, 192),
                        Fire(384, 64, 256, 256), Fire(512, 64, 256, 256));
}

nn::Box<Classifier> make(SqueezeNetVersion version, const CreateOptions& o) {
  return nn::Box<Classifier>(
      SqueezeNet({.version = version, .in_channels = o.in_channels, .classes = o.classes, .dropout = given_or(o.dropout, 0.5)}));
}

}  // namespace

Fire::Fire(int64_t in, int64_t squeezed, int64_t expanded1x1, int64_t expanded3x3)
    : squeeze(in, squeezed, 1), expand1x1(squeezed, expanded1x1, 1), expand3x3(squeezed, expanded3x3, 3, {.padding = 1}) {}

void Fire::visit(nn::Visitor& v) {
  v("squeeze", squeeze);
  v("expand1x1", expand1x1);
  v("expand3x3", expand3x3);
}

Tensor Fire::forward(const Tensor& x) {
  const Tensor few = relu(squeeze(x));
  return cat({relu(expand1x1(few)), relu(expand3x3(few))}, 1);
}

SqueezeNet::SqueezeNet(const SqueezeNetOptions& o)
    : options(o), features(body(o)), classifier(nn::Dropout(o.dropout), nn::Conv2d(512, o.classes, 1), nn::ReLU(), nn::AdaptiveAvgPool2d(1)) {
  for_each([&](nn::Module& m) {
    auto* conv = dynamic_cast<nn::Conv2d*>(&m);
    if (!conv) return;
    if (conv == &classifier[1])
      nn::init::normal_(conv->weight, 0, 0.01);
    else
      nn::init::kaiming_uniform_(conv->weight);
    nn::init::zeros_(conv->bias);
  });
}

void SqueezeNet::visit(nn::Visitor& v) {
  v("features", features);
  v("classifier", classifier);
}

Tensor SqueezeNet::forward_features(const Tensor& x) {
  check_images("SqueezeNet", x, options.in_channels, options.version == SqueezeNetVersion::v1_0 ? 21 : 17);
  return features(x);
}

Tensor SqueezeNet::forward_head(const Tensor& features) { return flatten(classifier(features), 1); }

Offers squeezenet_offers() {
  constexpr const char* paper = "Iandola et al. 2016, arXiv:1602.07360";
  return {{{"squeezenet1_0", "squeezenet", 1000, 224, paper}, [](const CreateOptions& o) { return make(SqueezeNetVersion::v1_0, o); }},
          {{"squeezenet1_1", "squeezenet", 1000, 224, paper}, [](const CreateOptions& o) { return make(SqueezeNetVersion::v1_1, o); }}};
}

}  // namespace tapetum::models
