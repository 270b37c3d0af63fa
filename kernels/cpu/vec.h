// A register of T for the instruction set that this unit is compiled for, over the compiler's vector extensions.
// (The only file with #if on the instruction set.) Everything is in an anonymous namespace: each unit keeps its own.
#pragma once
#include <cstdint>
#include <cstring>

#include "kernels/candidates.h"
#include "kernels/types.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#define TAPETUM_ISA_SUFFIX avx512
#define TAPETUM_VECTOR_BYTES 64
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
  static Vec gather(const T* p, int64_t stride, int64_t n) {
    if (stride == 1) return load(p, n);
    if (stride == 0) return Vec(*p);
    Vec v(T(0));
    for (int64_t i = 0; i < n && i < lanes; ++i) v.raw[i] = p[i * stride];
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
  void scatter(T* p, int64_t stride, int64_t n) const {
    if (stride == 1) return store(p, n);
    for (int64_t i = 0; i < n && i < lanes; ++i) p[i * stride] = raw[i];
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

}  // namespace
}  // namespace tapetum::kernels
