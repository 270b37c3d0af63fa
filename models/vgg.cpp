#include "models/vgg.h"

#include <algorithm>

#include "core/ops/pool.h"
#include "core/ops/view.h"
#include "models/blocks.h"
#include "models/families.h"
#include "models/initial.h"
#include "nn/activation.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/pool.h"

namespace tapetum::models {
namespace {

nn::Sequential body(const VGGOptions& o) {
  check_positive("VGG", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  for (const int64_t convolutions : o.layers) check_positive("VGG", {{"layers", convolutions}});
  nn::Sequential layers;
  int64_t in = o.in_channels;
  for (size_t block = 0; block < o.layers.size(); ++block) {
    const int64_t out = std::min<int64_t>(64 << block, 512);
    for (int64_t i = 0; i < o.layers[block]; ++i, in = out) {
      layers.add(nn::Conv2d(in, out, 3, {.padding = 1}));
      if (o.batch_norm) layers.add(nn::BatchNorm2d(out));
      layers.add(nn::ReLU());
    }
    layers.add(nn::MaxPool2d(2));
  }
  return layers;
}

nn::Box<Classifier> make(const std::array<int64_t, 5>& layers, bool batch_norm, const CreateOptions& o) {
  return nn::Box<Classifier>(
      VGG({.layers = layers, .batch_norm = batch_norm, .dropout = given_or(o.dropout, 0.5), .in_channels = o.in_channels, .classes = o.classes}));
}

// The paper's configurations A, B, D, E.
constexpr std::array<int64_t, 5> k11 = {1, 1, 2, 2, 2}, k13 = {2, 2, 2, 2, 2}, k16 = {2, 2, 3, 3, 3}, k19 = {2, 2, 4, 4, 4};

}  // namespace

VGG::VGG(const VGGOptions& o)
    : options(o),
      features(body(o)),
      classifier(nn::Linear(512 * 7 * 7, 4096), nn::ReLU(), nn::Dropout(o.dropout),  //
                 nn::Linear(4096, 4096), nn::ReLU(), nn::Dropout(o.dropout),         //
                 nn::Linear(4096, o.classes)) {
  initial::kaiming_fan_out(*this);
  initial::normal_linear(*this, 0.01);
}

void VGG::visit(nn::Visitor& v) {
  v("features", features);
  v("classifier", classifier);
}

Tensor VGG::forward_features(const Tensor& x) {
  check_images("VGG", x, options.in_channels, 32);
  return run(classifier, flatten(adaptive_avg_pool2d(features(x), 7), 1), 0, 5);
}

Tensor VGG::forward_head(const Tensor& features) { return run(classifier, features, 5, 7); }

Offers vgg_offers() {
  const auto entry = [](const char* name) { return ModelEntry{name, "vgg", 1000, 224, "Simonyan and Zisserman 2014, arXiv:1409.1556"}; };
  return {{entry("vgg11"), [](const CreateOptions& o) { return make(k11, false, o); }},
          {entry("vgg11_bn"), [](const CreateOptions& o) { return make(k11, true, o); }},
          {entry("vgg13"), [](const CreateOptions& o) { return make(k13, false, o); }},
          {entry("vgg13_bn"), [](const CreateOptions& o) { return make(k13, true, o); }},
          {entry("vgg16"), [](const CreateOptions& o) { return make(k16, false, o); }},
          {entry("vgg16_bn"), [](const CreateOptions& o) { return make(k16, true, o); }},
          {entry("vgg19"), [](const CreateOptions& o) { return make(k19, false, o); }},
          {entry("vgg19_bn"), [](const CreateOptions& o) { return make(k19, true, o); }}};
}

}  // namespace tapetum::models
