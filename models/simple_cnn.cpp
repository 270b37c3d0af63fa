#include "models/simple_cnn.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/ops/view.h"
#include "models/blocks.h"
#include "models/families.h"
#include "models/patches.h"
#include "nn/activation.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/pool.h"

namespace tapetum::models {
namespace {

nn::Sequential body(const SimpleCNNOptions& o) {
  check_positive("SimpleCNN", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  if (o.image_size.h < 8 || o.image_size.w < 8)
    throw Error(fmt::format("SimpleCNN: image_size must be at least 8, got {} x {}", o.image_size.h, o.image_size.w));
  nn::Sequential layers;
  int64_t in = o.in_channels;
  for (const int64_t out : {32, 64, 128}) {
    layers.add(nn::Conv2d(in, out, 3, {.padding = 1}));
    layers.add(nn::BatchNorm2d(out));
    layers.add(nn::ReLU());
    layers.add(nn::MaxPool2d(2));
    in = out;
  }
  return layers;
}

}  // namespace

SimpleCNN::SimpleCNN(const SimpleCNNOptions& o)
    : options(o),
      features(body(o)),
      classifier(nn::Dropout(o.dropout), nn::Linear(128 * (o.image_size.h / 8) * (o.image_size.w / 8), 512), nn::ReLU(), nn::Dropout(o.dropout),
                 nn::Linear(512, o.classes)) {}

void SimpleCNN::visit(nn::Visitor& v) {
  v("features", features);
  v("classifier", classifier);
}

Tensor SimpleCNN::forward_features(const Tensor& x) {
  check_image_size("SimpleCNN", x, options.in_channels, options.image_size);
  return run(classifier, flatten(features(x), 1), 0, 3);
}

Tensor SimpleCNN::forward_head(const Tensor& features) { return run(classifier, features, 3, 5); }

Offers simple_cnn_offers() {
  return {{{"simple_cnn", "simple_cnn", 10, 32, "a beginners' network, without a paper"}, [](const CreateOptions& o) {
             return nn::Box<Classifier>(
                 SimpleCNN({.image_size = o.image_size, .dropout = given_or(o.dropout, 0.5), .in_channels = o.in_channels, .classes = o.classes}));
           }}};
}

}  // namespace tapetum::models
