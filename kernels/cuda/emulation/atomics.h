// Atomic operations, and loads and stores with a cache hint. Blocks run on several OS threads, so atomics are real ones;
// relaxed, as CUDA's are.
#pragma once
#include <concepts>
#include <cstdint>
#include <type_traits>
#include "kernels/cuda/emulation/collectives.h"

namespace tapetum::emulation {

void note_atomic_spin();  // compare-and-swap and exchange are what spin locks are made of: now and then they yield

template <class T, class F> __forceinline__ T atomic_rmw(T* p, F f) {
  using U = std::conditional_t<sizeof(T) == 8, uint64_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint16_t>>;
  static_assert(sizeof(U) == sizeof(T));
  U* q = reinterpret_cast<U*>(p);
  U old = __atomic_load_n(q, __ATOMIC_RELAXED);
  for (;;) {
    const T o = from_bits<T>(old);
    const U want = static_cast<U>(to_bits<T>(f(o)));
    if (__atomic_compare_exchange_n(q, &old, want, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return o;
  }
}

namespace cuda {

template <std::integral T> __forceinline__ T atomicAdd(T* p, std::type_identity_t<T> v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); }
template <class T> __forceinline__ T atomicAdd(T* p, std::type_identity_t<T> v) {
  return atomic_rmw(p, [v](T o) { return T(o + v); });
}
template <std::integral T> __forceinline__ T atomicSub(T* p, std::type_identity_t<T> v) { return __atomic_fetch_sub(p, v, __ATOMIC_RELAXED); }
template <class T> __forceinline__ T atomicMax(T* p, std::type_identity_t<T> v) {
  return atomic_rmw(p, [v](T o) { return o > v ? o : v; });
}
template <class T> __forceinline__ T atomicMin(T* p, std::type_identity_t<T> v) {
  return atomic_rmw(p, [v](T o) { return o < v ? o : v; });
}
template <class T> __forceinline__ T atomicExch(T* p, std::type_identity_t<T> v) {
  note_atomic_spin();
  return atomic_rmw(p, [v](T) { return v; });
}
template <class T> __forceinline__ T atomicAnd(T* p, std::type_identity_t<T> v) { return __atomic_fetch_and(p, v, __ATOMIC_RELAXED); }
template <class T> __forceinline__ T atomicOr(T* p, std::type_identity_t<T> v) { return __atomic_fetch_or(p, v, __ATOMIC_RELAXED); }
template <class T> __forceinline__ T atomicXor(T* p, std::type_identity_t<T> v) { return __atomic_fetch_xor(p, v, __ATOMIC_RELAXED); }
template <class T> __forceinline__ T atomicCAS(T* p, std::type_identity_t<T> cmp, std::type_identity_t<T> v) {
  note_atomic_spin();
  T expected = cmp;
  __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
__forceinline__ unsigned atomicInc(unsigned* p, unsigned v) {
  return atomic_rmw(p, [v](unsigned o) { return o >= v ? 0u : o + 1u; });
}
__forceinline__ unsigned atomicDec(unsigned* p, unsigned v) {
  return atomic_rmw(p, [v](unsigned o) { return (o == 0 || o > v) ? v : o - 1u; });
}

template <class T> __forceinline__ T __ldg(const T* p) { return *p; }
template <class T> __forceinline__ T __ldcs(const T* p) { return *p; }
template <class T> __forceinline__ T __ldcg(const T* p) { return *p; }
template <class T> __forceinline__ T __ldca(const T* p) { return *p; }
template <class T> __forceinline__ void __stcs(T* p, T v) { *p = v; }
template <class T> __forceinline__ void __stcg(T* p, T v) { *p = v; }

}  // namespace cuda
}  // namespace tapetum::emulation

using namespace tapetum::emulation::cuda;
