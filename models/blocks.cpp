#include "models/blocks.h"

#include <algorithm>

#include "core/ops/activation.h"
#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"
#include "nn/activation.h"

namespace tapetum::models {

void add_activation(nn::Sequential& layers, Activation activation) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::relu:
      return layers.add(nn::ReLU());
    case Activation::relu6:
      return layers.add(nn::ReLU6());
    case Activation::silu:
      return layers.add(nn::SiLU());
    case Activation::hardswish:
      return layers.add(nn::Hardswish());
  }
}

ConvNormActivation::ConvNormActivation(int64_t in, int64_t out, const ConvNormActivationOptions& o)
    : Sequential(nn::Conv2d(in, out, o.kernel_size, {.stride = o.stride, .padding = (o.kernel_size - 1) / 2, .groups = o.groups, .bias = false}),
                 nn::BatchNorm2d(out, {.eps = o.eps, .momentum = o.momentum})) {
  add_activation(*this, o.activation);
}

SqueezeExcitation::SqueezeExcitation(int64_t channels, int64_t squeezed, Form form)
    : fc1(channels, squeezed, 1), fc2(squeezed, channels, 1), form(form) {}

void SqueezeExcitation::visit(nn::Visitor& v) {
  v("fc1", fc1);
  v("fc2", fc2);
}

Tensor SqueezeExcitation::forward(const Tensor& x) {
  const Tensor hidden = fc1(mean(x, {2, 3}, true));
  return x * (form == Form::hard ? hardsigmoid(fc2(relu(hidden))) : sigmoid(fc2(silu(hidden))));
}

int64_t divisible_by_8(double channels) {
  const int64_t nearest = std::max<int64_t>(8, static_cast<int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(nearest) < 0.9 * channels ? nearest + 8 : nearest;
}

Tensor run(nn::Sequential& layers, const Tensor& x, size_t begin, size_t end) {
  Tensor y = x;
  for (size_t i = begin; i < end; ++i) y = layers[i](y);
  return y;
}

}  // namespace tapetum::models
