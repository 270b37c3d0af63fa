#include "core/ops/random.h"

#include <fmt/core.h>

#include <cmath>
#include <numbers>
#include <utility>

#include "core/capture.h"
#include "core/error.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/lines.h"
#include "core/ops/reduce.h"
#include "kernels/random.h"

namespace tapetum {
namespace {

Tensor draw(const char* op, const kernels::RandomSlot& slot, const Shape& shape, double a, double b, DType dtype, Device device) {
  if (!is_floating(dtype)) throw DTypeError(fmt::format("{}: expected a floating-point dtype, got {}", op, name_of(dtype)));
  if (device.kind == DeviceKind::cpu) refuse_capture(op, "it draws on the host");
  Tensor y = empty(shape, dtype, device);
  launch(slot, device, dtype, {y.numel(), dtype, next_random_call(device), a, b, y.mutable_raw()});
  return y;
}

void check_probability(const char* op, double p) {
  if (!(p >= 0 && p <= 1)) throw Error(fmt::format("{}: the probability must lie in [0, 1], got {}", op, p));
}

// x with what a mask of the given shape drops set to zero.
Tensor drop(const char* op, const Tensor& x, const Shape& mask, double p, bool training) {
  check_probability(op, p);
  if (!training || p == 0) return x;
  if (p == 1) return x * zeros(mask, x.dtype(), x.device());
  return x * (bernoulli(mask, 1 - p, x.dtype(), x.device()) * (1 / (1 - p)));
}

// The quantile of the standard normal distribution: Newton's method on erfc, from Winitzki's approximation (2008).
double normal_quantile(double u) {
  const double y = 2 * u - 1, l = std::log1p(-y * y), t = 2 / (std::numbers::pi * 0.147) + l / 2;
  double x = std::copysign(std::sqrt(std::sqrt(t * t - l / 0.147) - t), y) * std::numbers::sqrt2;
  for (int i = 0; i < 3 && std::isfinite(x); ++i)
    x -= (0.5 * std::erfc(-x / std::numbers::sqrt2) - u) * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  return x;
}

}  // namespace

kernels::RandomCall next_random_call(Device device) {
  if (Capture* capture = current_capture(); capture && capture->device == device) return {0, capture->random_calls++, capture->start};
  const GeneratorState state = next_random_call();
  return {state.seed, state.calls};
}

Tensor rand(const Shape& shape, double low, double high, DType dtype, Device device) {
  return draw("rand", kernels::random_uniform, shape, low, high, dtype, device);
}
Tensor randn(const Shape& shape, double mean, double std, DType dtype, Device device) {
  return draw("randn", kernels::random_normal, shape, mean, std, dtype, device);
}
Tensor bernoulli(const Shape& shape, double probability, DType dtype, Device device) {
  check_probability("bernoulli", probability);
  return draw("bernoulli", kernels::random_bernoulli, shape, probability, 0, dtype, device);
}

Tensor bernoulli(const Tensor& p) {
  if (p.numel()) {
    check_probability("bernoulli", amin(p).item());
    check_probability("bernoulli", amax(p).item());
  }
  return to(rand_like(p) < p, p.dtype());
}

// The same numbers in any layout.
Tensor rand_like(const Tensor& x) { return with_strides_of(rand(x.shape(), 0, 1, x.dtype(), x.device()), empty_like(x)); }
Tensor randn_like(const Tensor& x) { return with_strides_of(randn(x.shape(), 0, 1, x.dtype(), x.device()), empty_like(x)); }

Tensor randint(int64_t low, int64_t high, const Shape& shape, DType dtype) {
  refuse_capture("randint", "it draws on the host");
  if (low >= high) throw Error(fmt::format("randint: [{}, {}) is empty", low, high));
  const GeneratorState state = next_random_call();
  RandomStream stream(state.seed, state.calls);
  Tensor y = empty(shape, dtype);
  with_type(dtype, [&]<class T>() {
    T* p = static_cast<T*>(y.mutable_raw());
    for (int64_t i = 0; i < y.numel(); ++i) p[i] = cast<T>(low + stream.integer(high - low));
  });
  return y;
}

Tensor randperm(int64_t n) {
  refuse_capture("randperm", "it draws on the host");
  if (n < 0) throw ShapeError(fmt::format("randperm: expected a count, got {}", n));
  const GeneratorState state = next_random_call();
  RandomStream stream(state.seed, state.calls);
  Tensor y = arange(n);
  int64_t* p = static_cast<int64_t*>(y.mutable_raw());
  for (int64_t i = n - 1; i > 0; --i) std::swap(p[i], p[stream.integer(i + 1)]);  // Fisher and Yates
  return y;
}

Tensor trunc_normal(const Shape& shape, double mean, double std, double low, double high, DType dtype) {
  if (!(low < high) || !(std > 0)) throw Error(fmt::format("trunc_normal: deviation {} and limits [{}, {}] leave nothing", std, low, high));
  const auto below = [&](double x) { return 0.5 * std::erfc((mean - x) / (std * std::numbers::sqrt2)); };
  const double first = below(low), last = below(high);
  Tensor y = rand(shape, 0, 1, DType::f64);
  double* p = static_cast<double*>(y.mutable_raw());
  for (int64_t i = 0; i < y.numel(); ++i)
    p[i] = std::fmin(std::fmax(mean + std * normal_quantile(first + (last - first) * (p[i] + 0x1p-25)), low), high);
  return to(y, dtype);
}

Tensor dropout(const Tensor& x, double p, bool training) { return drop("dropout", x, x.shape(), p, training); }

Tensor dropout2d(const Tensor& x, double p, bool training) {
  if (x.dim() < 2) throw ShapeError(fmt::format("dropout2d: expected [N, C, ...], got {}", to_string(x.shape())));
  Shape mask(x.dim(), 1);
  mask[0] = x.size(0);
  mask[1] = x.size(1);
  return drop("dropout2d", x, mask, p, training);
}

Tensor drop_path(const Tensor& x, double p, bool training) {
  if (x.dim() < 1) throw ShapeError("drop_path: expected [N, ...], got no dimensions");
  Shape mask(x.dim(), 1);
  mask[0] = x.size(0);
  return drop("drop_path", x, mask, p, training);
}

}  // namespace tapetum
