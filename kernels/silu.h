// SiLU's slope, which kernels of several families and one op need.
#pragma once

namespace tapetum {

// The gradient of z sigmoid(z) at z, that of its value being gy and s sigmoid(z): of numbers, registers or tensors. (constexpr: device code may call
// it.)
template <class V> constexpr V silu_gradient(const V& gy, const V& z, const V& s) { return gy * s * (1 + z * (1 - s)); }

}  // namespace tapetum
