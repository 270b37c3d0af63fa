#include "models/initial.h"

#include <cmath>

#include "nn/conv.h"
#include "nn/init.h"

namespace tapetum::models::initial {
namespace {

// f(weight) of every M below root, whose biases become zeros.
template <class M, class F> void for_each_weight(nn::Module& root, F f) {
  root.for_each([&](nn::Module& module) {
    auto* layer = dynamic_cast<M*>(&module);
    if (!layer) return;
    f(layer->weight);
    if (layer->bias.defined()) nn::init::zeros_(layer->bias);
  });
}

}  // namespace

void kaiming_fan_out(nn::Module& root) {
  for_each_weight<nn::Conv2d>(root, [](Tensor& weight) {
    nn::init::kaiming_normal_(weight, {.mode = nn::init::FanMode::fan_out, .nonlinearity = nn::init::Nonlinearity::relu});
  });
}

void normal_linear(nn::Module& root, double std) {
  for_each_weight<nn::Linear>(root, [&](Tensor& weight) { nn::init::normal_(weight, 0, std); });
}

void normal_convolutions(nn::Module& root, double std) {
  for_each_weight<nn::Conv2d>(root, [&](Tensor& weight) { nn::init::normal_(weight, 0, std); });
}

void uniform_by_outputs(nn::Linear& layer) {
  const double bound = 1 / std::sqrt(static_cast<double>(layer.weight.size(0)));
  nn::init::uniform_(layer.weight, -bound, bound);
  nn::init::zeros_(layer.bias);
}

}  // namespace tapetum::models::initial
