// Activation functions; names, formulas and defaults of torch.nn.functional.
#pragma once
#include "core/scalar.h"
#include "core/tensor.h"
#include "kernels/conv_activation.h"

namespace tapetum {

Tensor relu(const Tensor& x);
Tensor relu_backward(const Tensor& gy, const Tensor& y);  // gy where y > 0, else 0
Tensor leaky_relu(const Tensor& x, double slope = 0.01);  // x where x > 0, else slope x
Tensor relu6(const Tensor& x);                            // min(max(x, 0), 6)
Tensor elu(const Tensor& x, double alpha = 1);            // x where x > 0, else alpha (exp(x) - 1); Clevert et al. 2015
Tensor sigmoid(const Tensor& x);                          // 1 / (1 + exp(-x))
Tensor tanh(const Tensor& x);
Tensor silu(const Tensor& x);                                              // x sigmoid(x); Elfwing et al. 2017
Tensor mish(const Tensor& x);                                              // x tanh(softplus(x)); Misra 2019
Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20);  // log(1 + exp(beta x)) / beta; x itself where beta x > threshold
Tensor hardsigmoid(const Tensor& x);                                       // relu6(x + 3) / 6; Howard et al. 2019
Tensor hardswish(const Tensor& x);                                         // x relu6(x + 3) / 6
enum class Gelu { erf, tanh };
Tensor gelu(const Tensor& x, Gelu form = Gelu::erf);  // x Phi(x), or its tanh approximation; Hendrycks and Gimpel 2016

Tensor activate(const Tensor& x, ConvActivation activation);  // relu(x), silu(x) or x itself: what fused ops apply to their results

// min(max(x, low), high); NaN stays, the gradient is zero outside. An integer tensor with a real bound gives f32.
Tensor clamp(const Tensor& x, Scalar low, Scalar high);
Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high);  // bounds broadcast and have gradients; an undefined one leaves its side open
Tensor clamp_min(const Tensor& x, Scalar low);
Tensor clamp_max(const Tensor& x, Scalar high);

}  // namespace tapetum
