// Kernel-side half of the CUDA-on-CPU emulator: qualifiers, built-in variables, intrinsics.
// Included (through gpu/gpu.cuh) by .cu files when they are compiled by a plain C++20 compiler.
#pragma once
#include "types.h"
#include <cstdio>
#include <cassert>
#include <math.h>
#include <time.h>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CUDAEMU_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CUDAEMU_SANITIZED 1
#endif
#endif

// ---- qualifiers -------------------------------------------------------------------------------
#undef __global__
#undef __device__
#undef __host__
#undef __constant__
#undef __shared__
#undef __managed__
#undef __grid_constant__
#undef __launch_bounds__
#undef __forceinline__
#undef __align__
#undef __cluster_dims__
#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __grid_constant__
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) __attribute__((aligned(n)))
// A block runs entirely on one OS thread, so a thread_local function static is per-block storage.
// Under ASan/TSan the emulator runs one block at a time, and an ordinary static gets redzones
// (TLS variables get none).
#if defined(CUDAEMU_SANITIZED)
#define __shared__ static
#else
#define __shared__ thread_local
#endif

// ---- built-in variables -----------------------------------------------------------------------
#define CUDAEMU_TLS __attribute__((tls_model("initial-exec")))
extern __thread uint3 threadIdx CUDAEMU_TLS;
extern __thread uint3 blockIdx CUDAEMU_TLS;
extern __thread dim3 blockDim CUDAEMU_TLS;
extern __thread dim3 gridDim CUDAEMU_TLS;
inline constexpr int warpSize = 32;

namespace emu {
struct Loc { const char* file; int line; };
#define CUDAEMU_LOC const char *cudaemu_file = __builtin_FILE(), int cudaemu_line = __builtin_LINE()
#define CUDAEMU_LOC_ARG ::emu::Loc{cudaemu_file, cudaemu_line}

// Collectives (emulation.cpp). All block until the other participants arrive.
enum class BlockReduce { none, count, and_, or_ };
int block_barrier(BlockReduce kind, int pred, Loc loc);
void named_barrier(unsigned id, unsigned nthreads, bool wait, Loc loc);
enum class Shfl { idx, up, down, xor_ };
uint64_t warp_shfl(unsigned mask, uint64_t bits, Shfl mode, int arg, int width, Loc loc);
unsigned warp_ballot(unsigned mask, bool pred, Loc loc);
unsigned warp_match_any(unsigned mask, uint64_t v, Loc loc);
unsigned warp_match_all(unsigned mask, uint64_t v, int* pred, Loc loc);
enum class Reduce { add, min_s, max_s, min_u, max_u, and_, or_, xor_ };
unsigned warp_reduce(unsigned mask, unsigned v, Reduce op, Loc loc);
void warp_sync(unsigned mask, Loc loc);
unsigned active_mask();
void yield();                       // let other threads of the block run (spin loops)
void note_atomic_spin();            // called by CAS/exchange: yields now and then
void* dynamic_shared_base(size_t align, Loc loc);
[[noreturn]] void trap(const char* what, Loc loc);
unsigned thread_index();            // linear index of the running CUDA thread in its block

template <class T> inline uint64_t to_bits(T v) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  uint64_t b = 0;
  __builtin_memcpy(&b, &v, sizeof(T));
  return b;
}
template <class T> inline T from_bits(uint64_t b) {
  T v;
  __builtin_memcpy(&v, &b, sizeof(T));
  return v;
}
}  // namespace emu

// ---- block and warp synchronisation -----------------------------------------------------------
inline void __syncthreads(CUDAEMU_LOC) { emu::block_barrier(emu::BlockReduce::none, 0, CUDAEMU_LOC_ARG); }
inline int __syncthreads_count(int p, CUDAEMU_LOC) { return emu::block_barrier(emu::BlockReduce::count, p, CUDAEMU_LOC_ARG); }
inline int __syncthreads_and(int p, CUDAEMU_LOC) { return emu::block_barrier(emu::BlockReduce::and_, p, CUDAEMU_LOC_ARG); }
inline int __syncthreads_or(int p, CUDAEMU_LOC) { return emu::block_barrier(emu::BlockReduce::or_, p, CUDAEMU_LOC_ARG); }
inline void __syncwarp(unsigned mask = 0xffffffffu, CUDAEMU_LOC) { emu::warp_sync(mask, CUDAEMU_LOC_ARG); }

template <class T> inline T __shfl_sync(unsigned mask, T v, int src, int width = 32, CUDAEMU_LOC) {
  return emu::from_bits<T>(emu::warp_shfl(mask, emu::to_bits(v), emu::Shfl::idx, src, width, CUDAEMU_LOC_ARG));
}
template <class T> inline T __shfl_up_sync(unsigned mask, T v, unsigned d, int width = 32, CUDAEMU_LOC) {
  return emu::from_bits<T>(emu::warp_shfl(mask, emu::to_bits(v), emu::Shfl::up, int(d), width, CUDAEMU_LOC_ARG));
}
template <class T> inline T __shfl_down_sync(unsigned mask, T v, unsigned d, int width = 32, CUDAEMU_LOC) {
  return emu::from_bits<T>(emu::warp_shfl(mask, emu::to_bits(v), emu::Shfl::down, int(d), width, CUDAEMU_LOC_ARG));
}
template <class T> inline T __shfl_xor_sync(unsigned mask, T v, int m, int width = 32, CUDAEMU_LOC) {
  return emu::from_bits<T>(emu::warp_shfl(mask, emu::to_bits(v), emu::Shfl::xor_, m, width, CUDAEMU_LOC_ARG));
}
inline unsigned __ballot_sync(unsigned mask, int p, CUDAEMU_LOC) { return emu::warp_ballot(mask, p != 0, CUDAEMU_LOC_ARG); }
inline int __any_sync(unsigned mask, int p, CUDAEMU_LOC) { return emu::warp_ballot(mask, p != 0, CUDAEMU_LOC_ARG) != 0; }
inline int __all_sync(unsigned mask, int p, CUDAEMU_LOC) { return emu::warp_ballot(mask, p == 0, CUDAEMU_LOC_ARG) == 0; }
template <class T> inline unsigned __match_any_sync(unsigned mask, T v, CUDAEMU_LOC) { return emu::warp_match_any(mask, emu::to_bits(v), CUDAEMU_LOC_ARG); }
template <class T> inline unsigned __match_all_sync(unsigned mask, T v, int* pred, CUDAEMU_LOC) { return emu::warp_match_all(mask, emu::to_bits(v), pred, CUDAEMU_LOC_ARG); }
inline unsigned __activemask() { return emu::active_mask(); }
inline unsigned __reduce_add_sync(unsigned m, unsigned v, CUDAEMU_LOC) { return emu::warp_reduce(m, v, emu::Reduce::add, CUDAEMU_LOC_ARG); }
inline int __reduce_add_sync(unsigned m, int v, CUDAEMU_LOC) { return int(emu::warp_reduce(m, unsigned(v), emu::Reduce::add, CUDAEMU_LOC_ARG)); }
inline unsigned __reduce_min_sync(unsigned m, unsigned v, CUDAEMU_LOC) { return emu::warp_reduce(m, v, emu::Reduce::min_u, CUDAEMU_LOC_ARG); }
inline int __reduce_min_sync(unsigned m, int v, CUDAEMU_LOC) { return int(emu::warp_reduce(m, unsigned(v), emu::Reduce::min_s, CUDAEMU_LOC_ARG)); }
inline unsigned __reduce_max_sync(unsigned m, unsigned v, CUDAEMU_LOC) { return emu::warp_reduce(m, v, emu::Reduce::max_u, CUDAEMU_LOC_ARG); }
inline int __reduce_max_sync(unsigned m, int v, CUDAEMU_LOC) { return int(emu::warp_reduce(m, unsigned(v), emu::Reduce::max_s, CUDAEMU_LOC_ARG)); }
inline unsigned __reduce_and_sync(unsigned m, unsigned v, CUDAEMU_LOC) { return emu::warp_reduce(m, v, emu::Reduce::and_, CUDAEMU_LOC_ARG); }
inline unsigned __reduce_or_sync(unsigned m, unsigned v, CUDAEMU_LOC) { return emu::warp_reduce(m, v, emu::Reduce::or_, CUDAEMU_LOC_ARG); }
inline unsigned __reduce_xor_sync(unsigned m, unsigned v, CUDAEMU_LOC) { return emu::warp_reduce(m, v, emu::Reduce::xor_, CUDAEMU_LOC_ARG); }

// ---- memory -----------------------------------------------------------------------------------
namespace emu { void fence(); }   // out of line: TSan does not model stand-alone fences
inline void __threadfence() { emu::fence(); }
inline void __threadfence_block() { emu::fence(); }
inline void __threadfence_system() { emu::fence(); }
inline void __nanosleep(unsigned) { emu::yield(); }
inline void __trap(CUDAEMU_LOC) { emu::trap("__trap()", CUDAEMU_LOC_ARG); }
template <class T> inline T __ldg(const T* p) { return *p; }
template <class T> inline T __ldcs(const T* p) { return *p; }
template <class T> inline T __ldcg(const T* p) { return *p; }
template <class T> inline T __ldca(const T* p) { return *p; }
template <class T> inline void __stcs(T* p, T v) { *p = v; }
template <class T> inline void __stcg(T* p, T v) { *p = v; }

namespace emu {
template <class T, class F> inline T atomic_rmw(T* p, F f) {
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
}  // namespace emu
template <class T> requires std::is_integral_v<T> inline T atomicAdd(T* p, std::type_identity_t<T> v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); }
template <class T> requires(!std::is_integral_v<T>) inline T atomicAdd(T* p, std::type_identity_t<T> v) { return emu::atomic_rmw(p, [v](T o) { return T(o + v); }); }
template <class T> requires std::is_integral_v<T> inline T atomicSub(T* p, std::type_identity_t<T> v) { return __atomic_fetch_sub(p, v, __ATOMIC_RELAXED); }
template <class T> inline T atomicMax(T* p, std::type_identity_t<T> v) { return emu::atomic_rmw(p, [v](T o) { return o > v ? o : v; }); }
template <class T> inline T atomicMin(T* p, std::type_identity_t<T> v) { return emu::atomic_rmw(p, [v](T o) { return o < v ? o : v; }); }
template <class T> inline T atomicExch(T* p, std::type_identity_t<T> v) { emu::note_atomic_spin(); return emu::atomic_rmw(p, [v](T) { return v; }); }
template <class T> inline T atomicAnd(T* p, std::type_identity_t<T> v) { return __atomic_fetch_and(p, v, __ATOMIC_RELAXED); }
template <class T> inline T atomicOr(T* p, std::type_identity_t<T> v) { return __atomic_fetch_or(p, v, __ATOMIC_RELAXED); }
template <class T> inline T atomicXor(T* p, std::type_identity_t<T> v) { return __atomic_fetch_xor(p, v, __ATOMIC_RELAXED); }
template <class T> inline T atomicCAS(T* p, std::type_identity_t<T> cmp, std::type_identity_t<T> v) {
  emu::note_atomic_spin();
  T expected = cmp;
  __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
inline unsigned atomicInc(unsigned* p, unsigned v) { return emu::atomic_rmw(p, [v](unsigned o) { return o >= v ? 0u : o + 1u; }); }
inline unsigned atomicDec(unsigned* p, unsigned v) { return emu::atomic_rmw(p, [v](unsigned o) { return (o == 0 || o > v) ? v : o - 1u; }); }

// ---- arithmetic -------------------------------------------------------------------------------
namespace emu {
template <class A, class B> concept Arith2 = std::is_arithmetic_v<A> && std::is_arithmetic_v<B>;
}
template <class A, class B> requires emu::Arith2<A, B> constexpr auto max(A a, B b) {
  using C = std::common_type_t<A, B>;
  const C x = a, y = b;
  if constexpr (std::is_floating_point_v<C>) { if (x != x) return y; if (y != y) return x; }
  return x < y ? y : x;
}
template <class A, class B> requires emu::Arith2<A, B> constexpr auto min(A a, B b) {
  using C = std::common_type_t<A, B>;
  const C x = a, y = b;
  if constexpr (std::is_floating_point_v<C>) { if (x != x) return y; if (y != y) return x; }
  return y < x ? y : x;
}
inline float __int_as_float(int i) { return std::bit_cast<float>(i); }
inline int __float_as_int(float f) { return std::bit_cast<int>(f); }
inline float __uint_as_float(unsigned i) { return std::bit_cast<float>(i); }
inline unsigned __float_as_uint(float f) { return std::bit_cast<unsigned>(f); }
inline long long __double_as_longlong(double d) { return std::bit_cast<long long>(d); }
inline double __longlong_as_double(long long i) { return std::bit_cast<double>(i); }
inline int __popc(unsigned v) { return std::popcount(v); }
inline int __popcll(unsigned long long v) { return std::popcount(v); }
inline int __clz(int v) { return std::countl_zero(static_cast<unsigned>(v)); }
inline int __clzll(long long v) { return std::countl_zero(static_cast<unsigned long long>(v)); }
inline int __ffs(int v) { return v ? std::countr_zero(static_cast<unsigned>(v)) + 1 : 0; }
inline int __ffsll(long long v) { return v ? std::countr_zero(static_cast<unsigned long long>(v)) + 1 : 0; }
inline unsigned __brev(unsigned v) { unsigned r = 0; for (int i = 0; i < 32; ++i) r |= ((v >> i) & 1u) << (31 - i); return r; }
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned s) {
  const uint64_t v = (static_cast<uint64_t>(y) << 32) | x;
  unsigned r = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned sel = (s >> (4 * i)) & 0xf;
    unsigned b = static_cast<unsigned>(v >> (8 * (sel & 7))) & 0xff;
    if (sel & 8) b = (b & 0x80) ? 0xff : 0;
    r |= b << (8 * i);
  }
  return r;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>((static_cast<uint64_t>(a) * b) >> 32); }
inline int __mulhi(int a, int b) { return static_cast<int>((static_cast<int64_t>(a) * b) >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return static_cast<unsigned long long>((static_cast<unsigned __int128>(a) * b) >> 64); }
inline int __dp4a(int a, int b, int c) { for (int i = 0; i < 4; ++i) c += int(int8_t(a >> (8 * i))) * int(int8_t(b >> (8 * i))); return c; }
inline unsigned __funnelshift_l(unsigned lo, unsigned hi, unsigned s) { s &= 31; return s ? (hi << s) | (lo >> (32 - s)) : hi; }
inline unsigned __funnelshift_r(unsigned lo, unsigned hi, unsigned s) { s &= 31; return s ? (lo >> s) | (hi << (32 - s)) : lo; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }
inline float __frsqrt_rn(float a) { return 1.0f / __builtin_sqrtf(a); }
inline float __saturatef(float a) { return a > 0.0f ? (a < 1.0f ? a : 1.0f) : 0.0f; }
inline int __float2int_rn(float a) { return static_cast<int>(__builtin_rintf(a)); }
inline int __float2int_rz(float a) { return static_cast<int>(a); }
inline int __float2int_rd(float a) { return static_cast<int>(__builtin_floorf(a)); }
inline int __float2int_ru(float a) { return static_cast<int>(__builtin_ceilf(a)); }
inline unsigned __float2uint_rn(float a) { return static_cast<unsigned>(__builtin_rintf(a)); }
inline float __int2float_rn(int a) { return static_cast<float>(a); }
#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 42)  // C23 adds these to libm
inline float rsqrtf(float a) { return 1.0f / __builtin_sqrtf(a); }
inline double rsqrt(double a) { return 1.0 / __builtin_sqrt(a); }
#endif
inline float normcdff(float x) { return 0.5f * erfcf(-x * 0.70710678118654752f); }
inline void sincospif(float x, float* s, float* c) { *s = sinf(x * 3.14159265358979f); *c = cosf(x * 3.14159265358979f); }
// glibc declares the reserved names __expf, __sinf... itself, so these intrinsics are macros.
#define __expf(x) ::expf(x)
#define __exp10f(x) ::exp10f(x)
#define __logf(x) ::logf(x)
#define __log2f(x) ::log2f(x)
#define __log10f(x) ::log10f(x)
#define __sinf(x) ::sinf(x)
#define __cosf(x) ::cosf(x)
#define __tanf(x) ::tanf(x)
#define __powf(x, y) ::powf(x, y)
#define __sincosf(x, s, c) ::sincosf(x, s, c)
inline long long clock64() {
#if defined(__x86_64__)
  return static_cast<long long>(__builtin_ia32_rdtsc());
#else
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
#endif
}
