// Activations as layers; formulas in core/ops/activation.h and core/ops/softmax.h.
#pragma once
#include "core/ops/activation.h"
#include "core/ops/softmax.h"
#include "nn/module.h"

namespace tapetum::nn {

// A function without parameters.
template <Tensor (*kFunction)(const Tensor&)> struct Pointwise : Layer {
  Tensor forward(const Tensor& x) override { return kFunction(x); }
};

struct ReLU : Pointwise<relu> {};
struct ReLU6 : Pointwise<relu6> {};
struct Sigmoid : Pointwise<sigmoid> {};
struct Tanh : Pointwise<tanh> {};
struct SiLU : Pointwise<silu> {};
struct Mish : Pointwise<mish> {};
struct Hardswish : Pointwise<hardswish> {};
struct Hardsigmoid : Pointwise<hardsigmoid> {};

struct LeakyReLU : Layer {
  explicit LeakyReLU(double negative_slope = 0.01) : negative_slope(negative_slope) {}
  Tensor forward(const Tensor& x) override { return leaky_relu(x, negative_slope); }
  double negative_slope;
};

struct ELU : Layer {
  explicit ELU(double alpha = 1) : alpha(alpha) {}
  Tensor forward(const Tensor& x) override { return elu(x, alpha); }
  double alpha;
};

struct GELU : Layer {
  explicit GELU(Gelu form = Gelu::erf) : form(form) {}
  Tensor forward(const Tensor& x) override { return gelu(x, form); }
  Gelu form;
};

struct Softplus : Layer {
  explicit Softplus(double beta = 1, double threshold = 20) : beta(beta), threshold(threshold) {}
  Tensor forward(const Tensor& x) override { return softplus(x, beta, threshold); }
  double beta, threshold;
};

// Along one dimension.
template <Tensor (*kFunction)(const Tensor&, int)> struct AlongDim : Layer {
  explicit AlongDim(int dim) : dim(dim) {}
  Tensor forward(const Tensor& x) override { return kFunction(x, dim); }
  int dim;
};

struct Softmax : AlongDim<softmax> {
  using AlongDim::AlongDim;
};
struct LogSoftmax : AlongDim<log_softmax> {
  using AlongDim::AlongDim;
};

}  // namespace tapetum::nn
