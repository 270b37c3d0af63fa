#include "models/alexnet.h"

#include "core/ops/pool.h"
#include "core/ops/view.h"
#include "models/blocks.h"
#include "models/families.h"
#include "nn/activation.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/pool.h"

namespace tapetum::models {
namespace {

const AlexNetOptions& checked(const AlexNetOptions& o) {
  check_positive("AlexNet", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  return o;
}

nn::MaxPool2d halving() { return nn::MaxPool2d(3, {.stride = 2}); }

}  // namespace

AlexNet::AlexNet(const AlexNetOptions& o)
    : options(checked(o)),
      features(nn::Conv2d(o.in_channels, 64, 11, {.stride = 4, .padding = 2}), nn::ReLU(), halving(),  //
               nn::Conv2d(64, 192, 5, {.padding = 2}), nn::ReLU(), halving(),                          //
               nn::Conv2d(192, 384, 3, {.padding = 1}), nn::ReLU(),                                    //
               nn::Conv2d(384, 256, 3, {.padding = 1}), nn::ReLU(),                                    //
               nn::Conv2d(256, 256, 3, {.padding = 1}), nn::ReLU(), halving()),
      classifier(nn::Dropout(o.dropout), nn::Linear(256 * 6 * 6, 4096), nn::ReLU(),  //
                 nn::Dropout(o.dropout), nn::Linear(4096, 4096), nn::ReLU(),         //
                 nn::Linear(4096, o.classes)) {}

void AlexNet::visit(nn::Visitor& v) {
  v("features", features);
  v("classifier", classifier);
}

Tensor AlexNet::forward_features(const Tensor& x) {
  check_images("AlexNet", x, options.in_channels, 63);
  return run(classifier, flatten(adaptive_avg_pool2d(features(x), 6), 1), 0, 6);
}

Offers alexnet_offers() {
  return {{{"alexnet", "alexnet", 1000, 224, "Krizhevsky 2014, arXiv:1404.5997"}, [](const CreateOptions& o) {
             return nn::Box<Classifier>(AlexNet({.dropout = given_or(o.dropout, 0.5), .in_channels = o.in_channels, .classes = o.classes}));
           }}};
}

}  // namespace tapetum::models
