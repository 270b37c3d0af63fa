#include "models/lenet.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/ops/activation.h"
#include "core/ops/pool.h"
#include "core/ops/view.h"
#include "models/families.h"
#include "models/patches.h"

namespace tapetum::models {
namespace {

const LeNet5Options& checked(const LeNet5Options& o) {
  check_positive("LeNet5", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  if (!(o.image_size == Size2(28)) && !(o.image_size == Size2(32)))
    throw Error(fmt::format("LeNet5: image_size must be 28 or 32, got {} x {}", o.image_size.h, o.image_size.w));
  return o;
}

}  // namespace

LeNet5::LeNet5(const LeNet5Options& o)
    : options(checked(o)),
      conv1(o.in_channels, 6, 5, {.padding = (32 - o.image_size.h) / 2}),
      conv2(6, 16, 5),
      fc1(16 * 5 * 5, 120),
      fc2(120, 84),
      fc3(84, o.classes) {}

void LeNet5::visit(nn::Visitor& v) {
  v("conv1", conv1);
  v("conv2", conv2);
  v("fc1", fc1);
  v("fc2", fc2);
  v("fc3", fc3);
}

Tensor LeNet5::forward_features(const Tensor& x) {
  check_image_size("LeNet5", x, options.in_channels, options.image_size);
  Tensor y = avg_pool2d(tanh(conv1(x)), 2);
  y = avg_pool2d(tanh(conv2(y)), 2);
  return tanh(fc2(tanh(fc1(flatten(y, 1)))));
}

Offers lenet_offers() {
  return {{{"lenet5", "lenet", 10, 32, "LeCun et al. 1998, Gradient-based learning applied to document recognition"}, [](const CreateOptions& o) {
             return nn::Box<Classifier>(LeNet5({.image_size = o.image_size, .in_channels = o.in_channels, .classes = o.classes}));
           }}};
}

}  // namespace tapetum::models
