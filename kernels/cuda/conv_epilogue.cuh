// What the kernels of the forward convolution do to a sum, bias included, before they round and store it.
#pragma once
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/conv_patches.cuh"

namespace tapetum::kernels {
namespace {

// y = activation(sum + residual); the gradients have neither.
template <class T> struct Epilogue {
  const T* residual;  // null: none
  Strides stride;
  ConvActivation activation;
  explicit Epilogue(const Conv2dArgs& a)
      : residual(static_cast<const T*>(a.residual)), stride(a.shape.residual_stride), activation(a.shape.activation) {}

  __device__ bool is_nothing() const { return !residual && activation == ConvActivation::none; }
  // Of channel c of a pixel; null: none.
  __device__ const T* at(int64_t n, int64_t c, int64_t h, int64_t w) const {
    return residual ? residual + n * stride.n + c * stride.c + h * stride.h + w * stride.w : nullptr;
  }
  __device__ Compute<T> operator()(Compute<T> sum, const T* added) const {
    if (added) sum += widen(*added);
    if (activation == ConvActivation::relu) return sum < 0 ? 0 : sum;
    if (activation == ConvActivation::silu) return sum / (1 + exp(-sum));
    return sum;
  }
};

}  // namespace
}  // namespace tapetum::kernels
