// The two 16-bit floating-point types, as storage: values are computed in float.
#pragma once
#include <cstdint>
#include <cstring>

namespace tapetum {

// IEEE 754 binary16: 1 sign, 5 exponent, 10 mantissa bits. Conversion rounds to nearest even.
struct Half {
  uint16_t bits;

  Half() = default;
  explicit constexpr Half(float x) : bits(encode(__builtin_bit_cast(uint32_t, x))) {}
  explicit constexpr Half(double x) : Half(static_cast<float>(x)) {}
  explicit constexpr operator float() const { return __builtin_bit_cast(float, decode(bits)); }

 private:
  static constexpr uint16_t encode(uint32_t f) {
    const uint32_t sign = (f >> 16) & 0x8000, magnitude = f & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00);   // NaN
    if (magnitude >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);  // rounds past 65504: infinity
    if (magnitude < 0x38800000) {                                              // subnormal: let the addition of 0.5 round
      const float shifted = __builtin_bit_cast(float, magnitude) + 0.5f;
      return static_cast<uint16_t>(sign | (__builtin_bit_cast(uint32_t, shifted) - 0x3F000000));
    }
    return static_cast<uint16_t>(sign | ((magnitude + 0xFFF + ((magnitude >> 13) & 1) - 0x38000000) >> 13));
  }
  static constexpr uint32_t decode(uint16_t h) {
    const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, magnitude = h & 0x7FFF;
    if (magnitude >= 0x7C00) return sign | 0x7F800000 | (magnitude & 0x3FF) << 13;
    if (magnitude >= 0x400) return sign | ((magnitude << 13) + 0x38000000);
    return sign | __builtin_bit_cast(uint32_t, static_cast<float>(magnitude) * 0x1p-24f);
  }
};

// bfloat16: the upper half of a float. Conversion rounds to nearest even.
struct BFloat16 {
  uint16_t bits;

  BFloat16() = default;
  explicit constexpr BFloat16(float x) : bits(encode(__builtin_bit_cast(uint32_t, x))) {}
  explicit constexpr BFloat16(double x) : BFloat16(static_cast<float>(x)) {}
  explicit constexpr operator float() const { return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16); }

 private:
  static constexpr uint16_t encode(uint32_t f) {
    if ((f & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>((f >> 16) | 0x40);  // NaN stays one
    return static_cast<uint16_t>((f + 0x7FFF + ((f >> 16) & 1)) >> 16);
  }
};

}  // namespace tapetum
