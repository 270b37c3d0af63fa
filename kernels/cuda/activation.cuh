// Activations that other kernels apply to their results.
#pragma once
#include "kernels/conv_activation.h"
#include "kernels/cuda/gpu/gpu.cuh"
#include "kernels/silu.h"

namespace tapetum::kernels {
namespace {

template <ConvActivation A, class C> __device__ C activate(C z) {
  if constexpr (A == ConvActivation::relu) return z < 0 ? 0 : z;
  if constexpr (A == ConvActivation::silu) return z / (1 + exp(-z));
  return z;
}

// The gradient at z, that at activate(z) being gy.
template <ConvActivation A, class C> __device__ C activation_gradient([[maybe_unused]] C z, C gy) {
  if constexpr (A == ConvActivation::relu) return z <= 0 ? 0 : gy;
  if constexpr (A == ConvActivation::silu) return silu_gradient(gy, z, 1 / (1 + exp(-z)));
  return gy;
}

}  // namespace
}  // namespace tapetum::kernels
