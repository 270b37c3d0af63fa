// Random tensors and operations, from the stream of core/random.h: the same numbers on every device and at any thread count.
#pragma once
#include "core/random.h"
#include "core/tensor.h"
#include "kernels/random_call.h"

namespace tapetum {

// For a kernel on this device: the next call, which a captured graph counts anew at each replay.
kernels::RandomCall next_random_call(Device device);

Tensor rand(const Shape& shape, double low = 0, double high = 1, DType dtype = DType::f32, Device device = {});   // uniform in [low, high)
Tensor randn(const Shape& shape, double mean = 0, double std = 1, DType dtype = DType::f32, Device device = {});  // normal
Tensor rand_like(const Tensor& x);                                                        // in [0, 1), with x's shape, strides, dtype and device
Tensor randn_like(const Tensor& x);                                                       // standard normal
Tensor randint(int64_t low, int64_t high, const Shape& shape, DType dtype = DType::i64);  // [low, high)
Tensor randperm(int64_t n);                                                               // i64; a shuffle of 0 .. n - 1
Tensor bernoulli(const Shape& shape, double probability, DType dtype = DType::f32, Device device = {});  // 1 or 0
Tensor bernoulli(const Tensor& probabilities);                                                           // 1 or 0 for each of them, in their dtype
// Normal, cut off outside [low, high], which are absolute values (PyTorch's defaults).
Tensor trunc_normal(const Shape& shape, double mean = 0, double std = 1, double low = -2, double high = 2, DType dtype = DType::f32);

// Zeroes elements with the given probability and scales the others by 1 / (1 - p); x itself unless training. Srivastava et al. 2014
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true);
Tensor dropout2d(const Tensor& x, double p = 0.5, bool training = true);  // whole channels of [N, C, ...]
Tensor drop_path(const Tensor& x, double p = 0, bool training = true);    // whole samples (stochastic depth); Huang et al. 2016

}  // namespace tapetum
