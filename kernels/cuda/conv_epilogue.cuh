// What the kernels of the forward convolution do to a sum, bias included, before they round and store it.
#pragma once
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/conv_patches.cuh"

namespace tapetum::kernels {
namespace {

// y = activation(scale sum + shift + residual); the gradients have none of these.
template <class T> struct Epilogue {
  const T* residual;               // null: none
  const Compute<T>*scale, *shift;  // of each channel; null: none
  Strides stride;
  ConvActivation activation;
  explicit Epilogue(const Conv2dArgs& a)
      : residual(static_cast<const T*>(a.residual)),
        scale(static_cast<const Compute<T>*>(a.scale)),
        shift(static_cast<const Compute<T>*>(a.shift)),
        stride(a.shape.residual_stride),
        activation(a.shape.activation) {}

  __device__ bool is_nothing() const { return !scale && !residual && activation == ConvActivation::none; }
  // Of channel c of a pixel; null: none.
  __device__ const T* at(int64_t n, int64_t c, int64_t h, int64_t w) const {
    return residual ? residual + n * stride.n + c * stride.c + h * stride.h + w * stride.w : nullptr;
  }
  __device__ Compute<T> operator()(Compute<T> sum, int64_t c, const T* added) const {
    if (scale) sum = sum * scale[c] + shift[c];
    if (added) sum += widen(*added);
    return with_activation(activation, [&]<ConvActivation A>() { return activate<A>(sum); });
  }
};

}  // namespace
}  // namespace tapetum::kernels
