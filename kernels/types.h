// The few plain types that kernels and core share.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/half.h"

namespace tapetum {

// 64 bits wide, so that shape structs that hold one have no padding and can be hashed as bytes.
enum class DType : int64_t { f64, f32, f16, bf16, i64, i32, u8, i8, boolean };
enum class DeviceKind : int64_t { cpu, cuda, meta };  // meta: shapes without data

constexpr int kMaxDims = 8;

constexpr size_t size_of(DType t) {
  constexpr size_t sizes[] = {8, 4, 2, 2, 8, 4, 1, 1, 1};
  return sizes[static_cast<int>(t)];
}
constexpr const char* name_of(DType t) {
  constexpr const char* names[] = {"f64", "f32", "f16", "bf16", "i64", "i32", "u8", "i8", "bool"};
  return names[static_cast<int>(t)];
}
constexpr const char* name_of(DeviceKind k) { return k == DeviceKind::cpu ? "cpu" : k == DeviceKind::cuda ? "cuda" : "meta"; }
constexpr bool is_floating(DType t) { return t <= DType::bf16; }

template <class T> constexpr DType dtype_of();
template <> constexpr DType dtype_of<double>() { return DType::f64; }
template <> constexpr DType dtype_of<float>() { return DType::f32; }
template <> constexpr DType dtype_of<Half>() { return DType::f16; }
template <> constexpr DType dtype_of<BFloat16>() { return DType::bf16; }
template <> constexpr DType dtype_of<int64_t>() { return DType::i64; }
template <> constexpr DType dtype_of<int32_t>() { return DType::i32; }
template <> constexpr DType dtype_of<uint8_t>() { return DType::u8; }
template <> constexpr DType dtype_of<int8_t>() { return DType::i8; }
template <> constexpr DType dtype_of<bool>() { return DType::boolean; }

// Calls f.template operator()<T>() with the C++ type of `t`.
template <class F> constexpr decltype(auto) with_type(DType t, F&& f) {
  switch (t) {
    case DType::f64:
      return f.template operator()<double>();
    case DType::f32:
      return f.template operator()<float>();
    case DType::f16:
      return f.template operator()<Half>();
    case DType::bf16:
      return f.template operator()<BFloat16>();
    case DType::i64:
      return f.template operator()<int64_t>();
    case DType::i32:
      return f.template operator()<int32_t>();
    case DType::u8:
      return f.template operator()<uint8_t>();
    case DType::i8:
      return f.template operator()<int8_t>();
    case DType::boolean:
      break;
  }
  return f.template operator()<bool>();
}

// The same for the types that kernels compute in directly: f32 and f64.
template <class F> constexpr decltype(auto) with_compute_type(DType t, F&& f) {
  return t == DType::f32 ? f.template operator()<float>() : f.template operator()<double>();
}
constexpr bool is_compute(DType t) { return t == DType::f32 || t == DType::f64; }

// One value in another type: to integers towards zero, to bool by "not zero".
template <class To, class From> constexpr To cast(From x) {
  constexpr bool half_from = std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>;
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (half_from) {
    return cast<To>(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
    return To(static_cast<float>(x));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // NaN and what int64 cannot hold would be undefined behaviour: they become the lowest int64, as x86 has it.
    const bool fits = x >= From(-0x1p63) && x < From(0x1p63);
    return static_cast<To>(fits ? static_cast<int64_t>(x) : INT64_MIN);
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace tapetum

namespace tapetum::kernels {

// Sizes of an iteration and the element strides of N operands; outermost dimension first, neighbours merged where they can be.
template <int N> struct StridedShape {
  int64_t ndim, count;
  int64_t size[kMaxDims];
  int64_t stride[N][kMaxDims];
};

template <class Shape> constexpr bool is_key = std::has_unique_object_representations_v<Shape>;

}  // namespace tapetum::kernels
