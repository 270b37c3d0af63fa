// __half and __nv_bfloat16, bit for bit as in the CUDA toolkit: every operation is done in float and rounded once.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include "kernels/cuda/emulation/vector_types.h"

#if defined(__F16C__) && defined(__GNUC__) && !defined(__clang__)  // <immintrin.h> would cost 0.3 s per file
#define TAPETUM_EMULATION_F16C 1
#endif

namespace tapetum::emulation {

#if defined(TAPETUM_EMULATION_F16C)
using V4f = float __attribute__((vector_size(16)));
using V8h = short __attribute__((vector_size(16)));
#endif
inline uint16_t float_to_half_bits(float f) {
#if defined(TAPETUM_EMULATION_F16C)
  return static_cast<uint16_t>(__builtin_ia32_vcvtps2ph(V4f{f, 0, 0, 0}, 0)[0]);
#else
  uint32_t u = std::bit_cast<uint32_t>(f), s = (u >> 16) & 0x8000u;
  u &= 0x7fffffffu;
  if (u >= 0x7f800000u) return static_cast<uint16_t>(s | (u > 0x7f800000u ? 0x7e00u : 0x7c00u));
  if (u >= 0x477ff000u) return static_cast<uint16_t>(s | 0x7c00u);  // rounds to infinity
  if (u < 0x38800000u) {                                            // subnormal or zero: adding 0.5 makes the FPU round at the right bit
    const float v = std::bit_cast<float>(u) + 0.5f;
    return static_cast<uint16_t>(s | (std::bit_cast<uint32_t>(v) - std::bit_cast<uint32_t>(0.5f)));
  }
  u += 0xc8000fffu + ((u >> 13) & 1u);
  return static_cast<uint16_t>(s | (u >> 13));
#endif
}
inline float half_bits_to_float(uint16_t h) {
#if defined(TAPETUM_EMULATION_F16C)
  return __builtin_ia32_vcvtph2ps(V8h{static_cast<short>(h), 0, 0, 0, 0, 0, 0, 0})[0];
#else
  const uint32_t s = (h & 0x8000u) << 16, e = (h >> 10) & 31u, m = h & 0x3ffu;
  if (e == 31) return std::bit_cast<float>(s | 0x7f800000u | (m << 13));
  if (e == 0) return std::bit_cast<float>(s | std::bit_cast<uint32_t>(static_cast<float>(m) * 0x1p-24f));
  return std::bit_cast<float>(s | ((e + 112u) << 23) | (m << 13));
#endif
}
inline uint16_t float_to_bf16_bits(float f) {
  uint32_t u = std::bit_cast<uint32_t>(f);
  if ((u & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
  return static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}
inline float bf16_bits_to_float(uint16_t h) { return std::bit_cast<float>(static_cast<uint32_t>(h) << 16); }

}  // namespace tapetum::emulation

#define TAPETUM_EMULATION_HALF(T, T2, TO_BITS, FROM_BITS)                                        \
  struct T {                                                                                     \
    unsigned short __x;                                                                          \
    T() = default;                                                                               \
    T(float f) : __x(TO_BITS(f)) {}                                                              \
    T(double f) : __x(TO_BITS(static_cast<float>(f))) {}                                         \
    template <class I>                                                                           \
    requires std::is_integral_v<I> T(I i) : __x(TO_BITS(static_cast<float>(i))) {}               \
    operator float() const { return FROM_BITS(__x); }                                            \
    T& operator+=(T o) { return *this = T(float(*this) + float(o)); }                            \
    T& operator-=(T o) { return *this = T(float(*this) - float(o)); }                            \
    T& operator*=(T o) { return *this = T(float(*this) * float(o)); }                            \
    T& operator/=(T o) { return *this = T(float(*this) / float(o)); }                            \
  };                                                                                             \
  struct alignas(4) T2 {                                                                         \
    T x, y;                                                                                      \
    T2() = default;                                                                              \
    T2(T a, T b) : x(a), y(b) {}                                                                 \
  };                                                                                             \
  inline T operator+(T a, T b) { return T(float(a) + float(b)); }                                \
  inline T operator-(T a, T b) { return T(float(a) - float(b)); }                                \
  inline T operator*(T a, T b) { return T(float(a) * float(b)); }                                \
  inline T operator/(T a, T b) { return T(float(a) / float(b)); }                                \
  inline T operator-(T a) {                                                                      \
    a.__x ^= 0x8000u;                                                                            \
    return a;                                                                                    \
  }                                                                                              \
  inline bool operator<(T a, T b) { return float(a) < float(b); }                                \
  inline bool operator>(T a, T b) { return float(a) > float(b); }                                \
  inline bool operator<=(T a, T b) { return float(a) <= float(b); }                              \
  inline bool operator>=(T a, T b) { return float(a) >= float(b); }                              \
  inline bool operator==(T a, T b) { return float(a) == float(b); }                              \
  inline bool operator!=(T a, T b) { return float(a) != float(b); }                              \
  inline T __hadd(T a, T b) { return a + b; }                                                    \
  inline T __hsub(T a, T b) { return a - b; }                                                    \
  inline T __hmul(T a, T b) { return a * b; }                                                    \
  inline T __hdiv(T a, T b) { return a / b; }                                                    \
  inline T __hneg(T a) { return -a; }                                                            \
  inline T __habs(T a) {                                                                         \
    a.__x &= 0x7fffu;                                                                            \
    return a;                                                                                    \
  }                                                                                              \
  inline T __hfma(T a, T b, T c) { return T(std::fma(float(a), float(b), float(c))); }           \
  inline T __hmax(T a, T b) { return T(std::fmax(float(a), float(b))); }                         \
  inline T __hmin(T a, T b) { return T(std::fmin(float(a), float(b))); }                         \
  inline bool __hgt(T a, T b) { return a > b; }                                                  \
  inline bool __hlt(T a, T b) { return a < b; }                                                  \
  inline bool __hge(T a, T b) { return a >= b; }                                                 \
  inline bool __hle(T a, T b) { return a <= b; }                                                 \
  inline bool __heq(T a, T b) { return a == b; }                                                 \
  inline bool __hisnan(T a) { return float(a) != float(a); }                                     \
  inline T hexp(T a) { return T(std::exp(float(a))); }                                           \
  inline T hlog(T a) { return T(std::log(float(a))); }                                           \
  inline T hsqrt(T a) { return T(std::sqrt(float(a))); }                                         \
  inline T hrsqrt(T a) { return T(1.0f / std::sqrt(float(a))); }                                 \
  inline T hrcp(T a) { return T(1.0f / float(a)); }                                              \
  inline T2 operator+(T2 a, T2 b) { return {a.x + b.x, a.y + b.y}; }                             \
  inline T2 operator-(T2 a, T2 b) { return {a.x - b.x, a.y - b.y}; }                             \
  inline T2 operator*(T2 a, T2 b) { return {a.x * b.x, a.y * b.y}; }                             \
  inline T2 __hadd2(T2 a, T2 b) { return a + b; }                                                \
  inline T2 __hsub2(T2 a, T2 b) { return a - b; }                                                \
  inline T2 __hmul2(T2 a, T2 b) { return a * b; }                                                \
  inline T2 __hmax2(T2 a, T2 b) { return {__hmax(a.x, b.x), __hmax(a.y, b.y)}; }                 \
  inline T2 __hmin2(T2 a, T2 b) { return {__hmin(a.x, b.x), __hmin(a.y, b.y)}; }                 \
  inline T2 __hfma2(T2 a, T2 b, T2 c) { return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)}; } \
  inline float __low2float(T2 a) { return float(a.x); }                                          \
  inline float __high2float(T2 a) { return float(a.y); }

TAPETUM_EMULATION_HALF(__half, __half2, tapetum::emulation::float_to_half_bits, tapetum::emulation::half_bits_to_float)
TAPETUM_EMULATION_HALF(__nv_bfloat16, __nv_bfloat162, tapetum::emulation::float_to_bf16_bits, tapetum::emulation::bf16_bits_to_float)
#undef TAPETUM_EMULATION_HALF
using half = __half;
using half2 = __half2;
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

inline __half __float2half(float f) { return __half(f); }
inline __half __float2half_rn(float f) { return __half(f); }
inline float __half2float(__half h) { return float(h); }
inline __half2 __floats2half2_rn(float a, float b) { return {__half(a), __half(b)}; }
inline __half2 __float2half2_rn(float a) { return {__half(a), __half(a)}; }
inline __half2 __float22half2_rn(float2 a) { return {__half(a.x), __half(a.y)}; }
inline float2 __half22float2(__half2 a) { return {float(a.x), float(a.y)}; }
inline __half2 __halves2half2(__half a, __half b) { return {a, b}; }
inline __half2 __half2half2(__half a) { return {a, a}; }
inline __half __low2half(__half2 a) { return a.x; }
inline __half __high2half(__half2 a) { return a.y; }
inline unsigned short __half_as_ushort(__half a) { return a.__x; }
inline __half __ushort_as_half(unsigned short u) {
  __half h;
  h.__x = u;
  return h;
}

inline __nv_bfloat16 __float2bfloat16(float f) { return __nv_bfloat16(f); }
inline __nv_bfloat16 __float2bfloat16_rn(float f) { return __nv_bfloat16(f); }
inline float __bfloat162float(__nv_bfloat16 h) { return float(h); }
inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) { return {__nv_bfloat16(a), __nv_bfloat16(b)}; }
inline __nv_bfloat162 __float2bfloat162_rn(float a) { return {__nv_bfloat16(a), __nv_bfloat16(a)}; }
inline __nv_bfloat162 __float22bfloat162_rn(float2 a) { return {__nv_bfloat16(a.x), __nv_bfloat16(a.y)}; }
inline float2 __bfloat1622float2(__nv_bfloat162 a) { return {float(a.x), float(a.y)}; }
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) { return {a, b}; }
inline __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 a) { return {a, a}; }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 a) { return a.__x; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short u) {
  __nv_bfloat16 h;
  h.__x = u;
  return h;
}
