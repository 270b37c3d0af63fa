#include "nn/init.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "core/ops/random.h"

namespace tapetum::nn::init {
namespace {

thread_local bool skipped = false;

// make() gives the values.
template <class Make> void assign(Tensor& t, Make make) {
  if (skipped) return;
  NoGrad no_grad;
  copy_(t, make());
}

double kaiming_deviation(const Tensor& t, const KaimingOptions& o) {
  const Fans f = fans(t);
  return gain(o.nonlinearity, o.a) / std::sqrt(o.mode == FanMode::fan_in ? f.in : f.out);
}

double xavier_deviation(const Tensor& t, double gain) {
  const Fans f = fans(t);
  return gain * std::sqrt(2 / (f.in + f.out));
}

// Uniform in +-bound has the deviation bound / sqrt(3).
void uniform_with_deviation(Tensor& t, double deviation) { uniform_(t, -std::sqrt(3.0) * deviation, std::sqrt(3.0) * deviation); }

}  // namespace

Skip::Skip() : before_(std::exchange(skipped, true)) {}
Skip::~Skip() { skipped = before_; }

Fans fans(const Tensor& t) {
  if (t.dim() < 2) throw ShapeError(fmt::format("init: fans need at least two dimensions, got {}", to_string(t.shape())));
  double field = 1;
  for (int d = 2; d < t.dim(); ++d) field *= static_cast<double>(t.size(d));
  return {field * static_cast<double>(t.size(1)), field * static_cast<double>(t.size(0))};
}

double gain(Nonlinearity nonlinearity, double slope) {
  switch (nonlinearity) {
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      return std::sqrt(2 / (1 + slope * slope));
    case Nonlinearity::selu:
      return 0.75;
    default:
      return 1;
  }
}

void constant_(Tensor& t, double value) {
  assign(t, [&] { return full(t.shape(), value, t.dtype(), t.device()); });
}

void eye_(Tensor& t) {
  if (t.dim() != 2) throw ShapeError(fmt::format("eye_: expected a matrix, got {}", to_string(t.shape())));
  zeros_(t);
  const int64_t n = std::min(t.size(0), t.size(1));
  Tensor diagonal = view_of(t, {n}, {t.strides()[0] + t.strides()[1]}, t.impl().offset);
  ones_(diagonal);
}

void uniform_(Tensor& t, double low, double high) {
  assign(t, [&] { return rand(t.shape(), low, high, t.dtype(), t.device()); });
}
void normal_(Tensor& t, double mean, double std) {
  assign(t, [&] { return randn(t.shape(), mean, std, t.dtype(), t.device()); });
}
void trunc_normal_(Tensor& t, const TruncatedNormalOptions& o) {
  assign(t, [&] { return trunc_normal(t.shape(), o.mean, o.std, o.a, o.b, t.dtype()); });
}

void kaiming_uniform_(Tensor& t, const KaimingOptions& options) { uniform_with_deviation(t, kaiming_deviation(t, options)); }
void kaiming_normal_(Tensor& t, const KaimingOptions& options) { normal_(t, 0, kaiming_deviation(t, options)); }
void xavier_uniform_(Tensor& t, double gain) { uniform_with_deviation(t, xavier_deviation(t, gain)); }
void xavier_normal_(Tensor& t, double gain) { normal_(t, 0, xavier_deviation(t, gain)); }

Parameter default_weight(const Shape& shape) {
  Parameter weight(empty(shape));
  kaiming_uniform_(weight, {.a = std::sqrt(5.0)});
  return weight;
}

Parameter default_bias(const Tensor& weight, int64_t size) {
  Parameter bias(empty({size}));
  const double bound = 1 / std::sqrt(fans(weight).in);
  uniform_(bias, -bound, bound);
  return bias;
}

}  // namespace tapetum::nn::init
