// Elements in memory and the values that kernels compute with: of a type known to the compiler, or of any dtype, where the switch over
// dtypes goes the same way in all threads.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "kernels/types.h"

namespace tapetum::kernels {
namespace {

// What is computed with elements of type T: 16-bit floating-point types are storage, widened when read and rounded once when written.
template <class T> struct ComputeOf { using type = T; };
template <> struct ComputeOf<Half> { using type = float; };
template <> struct ComputeOf<BFloat16> { using type = float; };
template <class T> using Compute = typename ComputeOf<T>::type;

// The device's own conversions: one instruction each.
template <class T> __device__ Compute<T> widen(T x) { return x; }
inline __device__ float widen(Half x) { return __half2float(__ushort_as_half(x.bits)); }
inline __device__ float widen(BFloat16 x) { return __bfloat162float(__ushort_as_bfloat16(x.bits)); }

template <class T> __device__ T narrow(Compute<T> x) {
  if constexpr (std::is_same_v<T, Half>)
    return __builtin_bit_cast(Half, __half_as_ushort(__float2half_rn(x)));
  else if constexpr (std::is_same_v<T, BFloat16>)
    return __builtin_bit_cast(BFloat16, __bfloat16_as_ushort(__float2bfloat16_rn(x)));
  else
    return x;
}

template <class T> __device__ T read(const void* p, DType dtype, int64_t at) {
  return with_type(dtype, [&]<class S>() { return cast<T>(widen(static_cast<const S*>(p)[at])); });
}
template <class T> __device__ void write(void* p, DType dtype, int64_t at, T value) {
  with_type(dtype, [&]<class S>() { static_cast<S*>(p)[at] = narrow<S>(cast<Compute<S>>(value)); });
}

// Calls f.template operator()<T>() with the C++ type of a floating-point dtype; `single`: of one that is computed in float.
template <class F> auto with_single_type(DType t, F f) {
  if (t == DType::f16) return f.template operator()<Half>();
  return t == DType::bf16 ? f.template operator()<BFloat16>() : f.template operator()<float>();
}
template <class F> auto with_floating_type(DType t, F f) { return t == DType::f64 ? f.template operator()<double>() : with_single_type(t, f); }

}  // namespace
}  // namespace tapetum::kernels
