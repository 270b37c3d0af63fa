// Activations that other kernels apply to their results, in double.
#pragma once
#include <cmath>

#include "kernels/conv_activation.h"

namespace tapetum::kernels {

inline double activate(ConvActivation activation, double z) {
  switch (activation) {
    case ConvActivation::relu:
      return z < 0 ? 0 : z;
    case ConvActivation::silu:
      return z / (1 + std::exp(-z));
    case ConvActivation::none:
      break;
  }
  return z;
}

// The gradient at z, that at activate(z) being gy.
inline double activation_gradient(ConvActivation activation, double z, double gy) {
  switch (activation) {
    case ConvActivation::relu:
      return z <= 0 ? 0 : gy;
    case ConvActivation::silu: {
      const double s = 1 / (1 + std::exp(-z));
      return gy * s * (1 + z * (1 - s));
    }
    case ConvActivation::none:
      break;
  }
  return gy;
}

}  // namespace tapetum::kernels
