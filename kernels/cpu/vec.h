// A register of T for the instruction set that this unit is compiled for, over the compiler's vector extensions.
// (The only file with #if on the instruction set.) Everything is in an anonymous namespace: each unit keeps its own.
#pragma once
#include <cstdint>
#include <cstring>

#include "kernels/candidates.h"
#include "kernels/types.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#define TAPETUM_VECTOR_BYTES 64
#if defined(TAPETUM_AMX)  // the build's word for units that may use tiles
#define TAPETUM_ISA_SUFFIX amx
#define TAPETUM_PAIRS
#elif defined(__AVX512BF16__)
#define TAPETUM_ISA_SUFFIX avx512_bf16
#define TAPETUM_PAIRS
#else
#define TAPETUM_ISA_SUFFIX avx512
#endif
#elif defined(__AVX2__)
#include <immintrin.h>
#define TAPETUM_ISA_SUFFIX avx2
#define TAPETUM_VECTOR_BYTES 32
#else
#define TAPETUM_ISA_SUFFIX baseline
#define TAPETUM_VECTOR_BYTES 16
#endif

#define TAPETUM_PASTE_(a, b) a##_##b
#define TAPETUM_PASTE(a, b) TAPETUM_PASTE_(a, b)
#define TAPETUM_FOR_ISA(id) TAPETUM_PASTE(id, TAPETUM_ISA_SUFFIX)
// As TAPETUM_CANDIDATE, with this unit's instruction set in the name.
#define TAPETUM_CPU_CANDIDATE(Args, id) TAPETUM_CANDIDATE(Args, TAPETUM_FOR_ISA(id))

namespace tapetum::kernels {
namespace {

// Spelt out for each T: g++ drops vector_size from a dependent type. `unaligned` is how it lies in memory.
template <class T> struct Register;
#define TAPETUM_REGISTER(T)                                                                                 \
  template <> struct Register<T> {                                                                          \
    typedef T type __attribute__((vector_size(TAPETUM_VECTOR_BYTES)));                                      \
    typedef T unaligned __attribute__((vector_size(TAPETUM_VECTOR_BYTES), aligned(alignof(T)), may_alias)); \
  };
TAPETUM_REGISTER(float)
TAPETUM_REGISTER(double)
TAPETUM_REGISTER(int64_t)
#undef TAPETUM_REGISTER

#if defined(__AVX2__) && !defined(__AVX512F__)
// Lanes below n on, the others off.
inline __m256i lanes_below(int64_t n) {
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), index);
}
#endif

// What lies in memory as S is computed in.
template <class S> using Compute = std::conditional_t<sizeof(S) == 2, float, S>;
[[maybe_unused]] constexpr int64_t compute_size(DType stored) { return stored == DType::f64 ? 8 : 4; }

// A register of f32 from as many 16-bit values, and back, rounded to nearest even.
using Wide = Register<float>::type;
constexpr int64_t kWideLanes = TAPETUM_VECTOR_BYTES / sizeof(float);

template <class S> Wide widen_some(const S* p, int64_t n) {
  Wide v{};
  for (int64_t i = 0; i < n && i < kWideLanes; ++i) v[i] = static_cast<float>(p[i]);
  return v;
}
template <class S> void narrow_some(Wide v, S* p, int64_t n) {
  for (int64_t i = 0; i < n && i < kWideLanes; ++i) p[i] = S(v[i]);
}

#if defined(__AVX512F__)
inline __mmask16 first_lanes(int64_t n) { return static_cast<__mmask16>(n < 16 ? (1u << n) - 1 : 0xFFFF); }
inline Wide widen(const Half* p, int64_t n) { return Wide(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), p))); }
inline Wide widen(const BFloat16* p, int64_t n) {
  return Wide(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(n), p)), 16));
}
inline void narrow(Wide v, Half* p, int64_t n) {
  _mm256_mask_storeu_epi16(p, first_lanes(n), _mm512_cvtps_ph(__m512(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline void narrow(Wide v, BFloat16* p, int64_t n) {
  const __m512i bits = _mm512_castps_si512(__m512(v)), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
  const __m512i kept = _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(__m512(v), __m512(v), _CMP_UNORD_Q), quiet);
  _mm256_mask_storeu_epi16(p, first_lanes(n), _mm512_cvtepi32_epi16(_mm512_srli_epi32(kept, 16)));
}
#elif defined(__AVX2__)
inline Wide widen(const Half* p, int64_t n) {
  return n < 8 ? widen_some(p, n) : Wide(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline Wide widen(const BFloat16* p, int64_t n) {
  return n < 8 ? widen_some(p, n) : Wide(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16));
}
inline void narrow(Wide v, Half* p, int64_t n) {
  if (n < 8) return narrow_some(v, p, n);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(__m256(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline void narrow(Wide v, BFloat16* p, int64_t n) {
  if (n < 8) return narrow_some(v, p, n);
  const __m256i bits = _mm256_castps_si256(__m256(v)), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(__m256(v), __m256(v), _CMP_UNORD_Q));
  const __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(upper, upper), 0x08);  // packing works within halves
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
}
#else
template <class S> Wide widen(const S* p, int64_t n) { return widen_some(p, n); }
template <class S> void narrow(Wide v, S* p, int64_t n) { narrow_some(v, p, n); }
#endif

template <class T> struct Vec {
  static constexpr int64_t lanes = TAPETUM_VECTOR_BYTES / sizeof(T);
  using Raw = typename Register<T>::type;
  Raw raw;

  Vec() = default;
  Vec(Raw r) : raw(r) {}
  Vec(T x) : raw(x - Raw{}) {}  // x - 0 is x for the compiler too, 0 + x is not (-0)

  static Vec load(const T* p) { return Vec(Raw(*reinterpret_cast<const typename Register<T>::unaligned*>(p))); }
  // The first n lanes, the others zero; never reads past p[n - 1].
  static Vec load(const T* p, int64_t n) {
    if (n >= lanes) return load(p);
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) return Vec(Raw(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p)));
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<T, float>) return Vec(Raw(_mm256_maskload_ps(p, lanes_below(n))));
#endif
    Vec v(T(0));
    for (int64_t i = 0; i < n; ++i) v.raw[i] = p[i];
    return v;
  }
  // Values that are stored in 16 bits.
  template <class S> static Vec load(const S* p) requires(sizeof(S) == 2) { return Vec(widen(p, lanes)); }
  template <class S> static Vec load(const S* p, int64_t n) requires(sizeof(S) == 2) { return Vec(widen(p, n)); }
  template <class S> void store(S* p) const requires(sizeof(S) == 2) { narrow(raw, p, lanes); }
  template <class S> void store(S* p, int64_t n) const requires(sizeof(S) == 2) { narrow(raw, p, n); }

  template <class S> static Vec gather(const S* p, int64_t stride, int64_t n) {
    if (stride == 1) return load(p, n);
    if (stride == 0) return Vec(static_cast<T>(*p));
    Vec v(T(0));
    for (int64_t i = 0; i < n && i < lanes; ++i) v.raw[i] = static_cast<T>(p[i * stride]);
    return v;
  }
  void store(T* p) const { *reinterpret_cast<typename Register<T>::unaligned*>(p) = raw; }
  void store(T* p, int64_t n) const {
    if (n >= lanes) return store(p);
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) return _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), __m512(raw));
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<T, float>) return _mm256_maskstore_ps(p, lanes_below(n), __m256(raw));
#endif
    for (int64_t i = 0; i < n; ++i) p[i] = raw[i];
  }
  template <class S> void scatter(S* p, int64_t stride, int64_t n) const {
    if (stride == 1) return store(p, n);
    for (int64_t i = 0; i < n && i < lanes; ++i) p[i * stride] = S(raw[i]);
  }

  // Lanes from n on replaced by x.
  Vec keep(int64_t n, T x) const {
    Vec v = *this;
    for (int64_t i = n; i < lanes; ++i) v.raw[i] = x;
    return v;
  }
  T sum() const {  // pairwise, the same order for every call
    T part[lanes];
    std::memcpy(part, &raw, sizeof part);
    for (int64_t step = lanes / 2; step > 0; step /= 2)
      for (int64_t i = 0; i < step; ++i) part[i] += part[i + step];
    return part[0];
  }
  T max() const {
    T top = raw[0];
    for (int64_t i = 1; i < lanes; ++i) top = raw[i] > top ? raw[i] : top;
    return top;
  }

  friend Vec operator+(Vec a, Vec b) { return a.raw + b.raw; }
  friend Vec operator-(Vec a, Vec b) { return a.raw - b.raw; }
  friend Vec operator*(Vec a, Vec b) { return a.raw * b.raw; }
  friend Vec operator/(Vec a, Vec b) { return a.raw / b.raw; }
  friend Vec operator-(Vec a) { return -a.raw; }
  // Comparisons give a mask of lanes for select(); masks combine with & and |.
  friend auto operator<(Vec a, Vec b) { return a.raw < b.raw; }
  friend auto operator<=(Vec a, Vec b) { return a.raw <= b.raw; }
  friend auto operator>(Vec a, Vec b) { return a.raw > b.raw; }
  friend auto operator>=(Vec a, Vec b) { return a.raw >= b.raw; }
  friend auto operator==(Vec a, Vec b) { return a.raw == b.raw; }
  friend auto operator!=(Vec a, Vec b) { return a.raw != b.raw; }
  friend Vec select(auto mask, Vec a, Vec b) { return mask ? a.raw : b.raw; }

  friend Vec sqrt(Vec x) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) return Raw(_mm512_sqrt_ps(__m512(x.raw)));
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<T, float>) return Raw(_mm256_sqrt_ps(__m256(x.raw)));
#endif
    for (int64_t i = 0; i < lanes; ++i) x.raw[i] = static_cast<T>(__builtin_sqrt(static_cast<double>(x.raw[i])));
    return x;
  }

  friend Vec max(Vec a, Vec b) { return a.raw > b.raw ? a.raw : b.raw; }
  friend Vec min(Vec a, Vec b) { return a.raw < b.raw ? a.raw : b.raw; }
  // a where x > 0, else b
  friend Vec select_positive(Vec x, Vec a, Vec b) { return x.raw > 0 ? a.raw : b.raw; }
};

// f64 is served by the baseline unit only.
constexpr bool kBaseline = TAPETUM_VECTOR_BYTES == 16;
[[maybe_unused]] inline bool serves(DType t) { return t == DType::f32 || (kBaseline && t == DType::f64); }
template <class F> void with_served_type(DType t, F&& f) {
  if constexpr (kBaseline) {
    with_compute_type(t, f);
  } else {
    f.template operator()<float>();
  }
}

#if defined(TAPETUM_PAIRS)
[[maybe_unused]] inline bool stores(DType t) { return t == DType::bf16; }
template <class F> void with_stored_type(DType, F&& f) { f.template operator()<BFloat16>(); }
#else
// The types in which values are stored: those above, and on every instruction set the 16-bit ones.
[[maybe_unused]] inline bool stores(DType t) { return serves(t) || t == DType::f16 || t == DType::bf16; }
// Those that are computed in f32.
template <class F> void with_wide_type(DType t, F&& f) {
  if (t == DType::f16) return f.template operator()<Half>();
  if (t == DType::bf16) return f.template operator()<BFloat16>();
  f.template operator()<float>();
}
template <class F> void with_stored_type(DType t, F&& f) {
  if (t == DType::f64)
    with_served_type(t, f);
  else
    with_wide_type(t, f);
}
#endif

}  // namespace
}  // namespace tapetum::kernels
