// Activations that other kernels apply to their results, on a register: ConvActivation, its formulas and theirs of the gradient.
#pragma once
#include "kernels/conv_activation.h"
#include "kernels/cpu/math.h"
#include "kernels/silu.h"

namespace tapetum::kernels {
namespace {

template <ConvActivation A, class T> Vec<T> activate(Vec<T> z) {
  if constexpr (A == ConvActivation::relu) return select(z < Vec<T>(T(0)), Vec<T>(T(0)), z);
  if constexpr (A == ConvActivation::silu) return z * sigmoid(z);
  return z;
}

// The gradient at z, that at activate(z) being gy.
template <ConvActivation A, class T> Vec<T> activation_gradient(Vec<T> z, Vec<T> gy) {
  if constexpr (A == ConvActivation::relu) return select(z <= Vec<T>(T(0)), Vec<T>(T(0)), gy);
  if constexpr (A == ConvActivation::silu) return silu_gradient(gy, z, sigmoid(z));
  return gy;
}

}  // namespace
}  // namespace tapetum::kernels
