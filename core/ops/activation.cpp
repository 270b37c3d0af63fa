#include "core/ops/activation.h"

#include <fmt/core.h>

#include <limits>
#include <numbers>

#include "core/ops/compare.h"
#include "core/ops/elementwise.h"
#include "core/ops/pointwise.h"

namespace tapetum {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct ReluOp {
  static constexpr OpInfo info{"relu"};
  using Options = NoOptions;
  static Tensor forward(Context& c, const Options&, const Tensor& x) {
    c.save_output(0);
    return pointwise(info, kernels::relu_forward, {x});
  }
  static Gradients backward(const Context& c, const Options&, const Tensor& gy) { return {relu_backward(gy, c.saved(0))}; }
};

struct ReluBackwardOp {
  static constexpr OpInfo info{"relu_backward"};
  using Options = NoOptions;
  static Tensor forward(Context& c, const Options&, const Tensor& gy, const Tensor& y) {
    c.save(y);
    return pointwise(info, kernels::relu_backward, {gy, y});
  }
  static Gradients backward(const Context& c, const Options&, const Tensor& g) { return {relu_backward(g, c.saved(0)), Tensor()}; }
};

struct TanhOp {
  static constexpr OpInfo info{"tanh"};
  using Options = NoOptions;
  static Tensor forward(Context& c, const Options&, const Tensor& x) {
    c.save_output(0);
    return pointwise(info, kernels::tanh_forward, {x}, Result::floating);
  }
  static Gradients backward(const Context& c, const Options&, const Tensor& gy) { return {gy * (1 - square(c.saved(0)))}; }
};

struct SigmoidOp {
  static constexpr OpInfo info{"sigmoid"};
  using Options = NoOptions;
  static Tensor forward(Context& c, const Options&, const Tensor& x) {
    c.save_output(0);
    return pointwise(info, kernels::sigmoid_forward, {x}, Result::floating);
  }
  static Gradients backward(const Context& c, const Options&, const Tensor& gy) {
    const Tensor y = c.saved(0);
    return {gy * y * (1 - y)};
  }
};

// Functions of one number with a slope of their own, each one kernel. Each has a twin in plain ops for higher orders.
template <class F> struct SmoothOp {
  static constexpr OpInfo info = F::info;
  using Options = NoOptions;
  static Tensor forward(Context&, const Options&, const Tensor& x) { return pointwise(info, F::value, {x}, Result::floating); }
  static Gradients backward(const Context& c, const Options&, const Tensor& gy) {
    return {pointwise(info, F::slope, {gy, c.saved(0)}, Result::floating)};
  }
  static Tensor twin(const Options&, const Tensor& x) { return F::composite(x); }
};

struct Silu {
  static constexpr OpInfo info{"silu"};
  static constexpr const auto& value = kernels::silu_forward;
  static constexpr const auto& slope = kernels::silu_backward;
  static Tensor composite(const Tensor& x) { return x * sigmoid(x); }
};

struct ExactGelu {
  static constexpr OpInfo info{"gelu"};
  static constexpr const auto& value = kernels::gelu_forward;
  static constexpr const auto& slope = kernels::gelu_backward;
  static Tensor composite(const Tensor& x) { return x * (erf(x * (1 / std::numbers::sqrt2)) + 1) * 0.5; }
};

struct SoftplusOp {
  static constexpr OpInfo info{"softplus", Autocast::f32};
  struct Options {
    double beta, threshold;
    template <class S, class V> static void fields(S& s, V&& v) {
      v("beta", s.beta);
      v("threshold", s.threshold);
    }
  };
  static Tensor forward(Context& c, const Options& o, const Tensor& x) {
    c.save(x);
    return pointwise(info, kernels::softplus_forward, {x}, Result::floating, {o.beta, o.threshold});
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    const Tensor z = c.saved(0) * o.beta;
    return {where(z > o.threshold, gy, gy * sigmoid(z))};
  }
};

struct ClampOptions {
  double low, high;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("low", s.low);
    v("high", s.high);
  }
};

Tensor clamp_backward(const Tensor& gy, const Tensor& x, const ClampOptions& o);

struct ClampOp {
  static constexpr OpInfo info{"clamp"};
  using Options = ClampOptions;
  static Tensor forward(Context& c, const Options& o, const Tensor& x) {
    c.save(x);
    return pointwise(info, kernels::clamp_forward, {x}, Result::common, {o.low, o.high});
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) { return {clamp_backward(gy, c.saved(0), o)}; }
};

struct ClampBackwardOp {
  static constexpr OpInfo info{"clamp_backward"};
  using Options = ClampOptions;
  static Tensor forward(Context& c, const Options& o, const Tensor& gy, const Tensor& x) {
    c.save(x);
    return pointwise(info, kernels::clamp_backward, {gy, x}, Result::common, {o.low, o.high});
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& g) { return {clamp_backward(g, c.saved(0), o), Tensor()}; }
};

Tensor clamp_backward(const Tensor& gy, const Tensor& x, const ClampOptions& o) { return apply<ClampBackwardOp>(o, gy, x); }

}  // namespace

Tensor relu(const Tensor& x) { return apply<ReluOp>({}, x); }
Tensor relu_backward(const Tensor& gy, const Tensor& y) { return apply<ReluBackwardOp>({}, gy, y); }
Tensor sigmoid(const Tensor& x) { return apply<SigmoidOp>({}, x); }
Tensor tanh(const Tensor& x) { return apply<TanhOp>({}, x); }
Tensor softplus(const Tensor& x, double beta, double threshold) { return apply<SoftplusOp>({beta, threshold}, x); }

Tensor clamp(const Tensor& x, Scalar low, Scalar high) {
  if (!(low.value <= high.value)) throw Error(fmt::format("clamp: low must not exceed high, got {} and {}", low.value, high.value));
  if (is_floating(x.dtype())) return apply<ClampOp>({low.value, high.value}, x);
  return clamp_max(clamp_min(x, low), high);
}
Tensor clamp_min(const Tensor& x, Scalar low) {
  return is_floating(x.dtype()) ? apply<ClampOp>({low.value, kInfinity}, x) : maximum(x, scalar_like(low, x));
}
Tensor clamp_max(const Tensor& x, Scalar high) {
  return is_floating(x.dtype()) ? apply<ClampOp>({-kInfinity, high.value}, x) : minimum(x, scalar_like(high, x));
}
Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high) {
  const Tensor raised = low.defined() ? where(x < low, low, x) : x;
  return high.defined() ? where(raised > high, high, raised) : raised;
}

Tensor leaky_relu(const Tensor& x, double slope) { return where(x > 0, x, x * slope); }
Tensor relu6(const Tensor& x) { return clamp(x, 0, 6); }
Tensor silu(const Tensor& x) { return apply<SmoothOp<Silu>>({}, x); }
Tensor activate(const Tensor& x, ConvActivation activation) {
  if (activation == ConvActivation::relu) return relu(x);
  return activation == ConvActivation::silu ? silu(x) : x;
}
Tensor mish(const Tensor& x) {
  const Casting none(Autocast::untouched);  // in x's dtype, whatever its parts ask for
  return x * tanh(softplus(x));
}
Tensor hardsigmoid(const Tensor& x) { return relu6(x + 3) / 6; }
Tensor hardswish(const Tensor& x) { return x * hardsigmoid(x); }

Tensor elu(const Tensor& x, double alpha) {
  const Casting none(Autocast::untouched);
  const Tensor below = clamp_max(x, 0);  // keeps exp finite where it is not chosen
  return where(x > 0, x, (exp(below) - 1) * alpha);
}

Tensor gelu(const Tensor& x, Gelu form) {
  if (form == Gelu::erf) return apply<SmoothOp<ExactGelu>>({}, x);
  const Tensor inner = (x + x * x * x * 0.044715) * (std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
  return x * (tanh(inner) + 1) * 0.5;
}

}  // namespace tapetum
