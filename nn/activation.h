// Activations as layers; formulas in core/ops/activation.h and core/ops/softmax.h.
#pragma once
#include "core/ops/activation.h"
#include "core/ops/softmax.h"
#include "nn/module.h"

namespace tapetum::nn {

struct ReLU : Layer {
  Tensor forward(const Tensor& x) override { return relu(x); }
};

struct ReLU6 : Layer {
  Tensor forward(const Tensor& x) override { return relu6(x); }
};

struct Sigmoid : Layer {
  Tensor forward(const Tensor& x) override { return sigmoid(x); }
};

struct Tanh : Layer {
  Tensor forward(const Tensor& x) override { return tanh(x); }
};

struct SiLU : Layer {
  Tensor forward(const Tensor& x) override { return silu(x); }
};

struct Mish : Layer {
  Tensor forward(const Tensor& x) override { return mish(x); }
};

struct Hardswish : Layer {
  Tensor forward(const Tensor& x) override { return hardswish(x); }
};

struct Hardsigmoid : Layer {
  Tensor forward(const Tensor& x) override { return hardsigmoid(x); }
};

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

struct Softmax : Layer {
  explicit Softmax(int dim) : dim(dim) {}
  Tensor forward(const Tensor& x) override { return softmax(x, dim); }
  int dim;
};

struct LogSoftmax : Layer {
  explicit LogSoftmax(int dim) : dim(dim) {}
  Tensor forward(const Tensor& x) override { return log_softmax(x, dim); }
  int dim;
};

}  // namespace tapetum::nn
