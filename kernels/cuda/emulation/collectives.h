// Barriers and warp operations. The CUDA names pass on where they were called, so that messages can tell; and they are part of their callers
// (__forceinline__), so that to the profiler a call of theirs is the kernel's own.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>
#include "kernels/cuda/emulation/location.h"
#include "kernels/cuda/emulation/qualifiers.h"

namespace tapetum::emulation {

// All of these block until the other participants arrive.
enum class BlockReduce { none, count, and_, or_ };
int block_barrier(BlockReduce kind, int pred, Loc at);
void named_barrier(unsigned id, unsigned threads, bool wait, Loc at);
enum class Shfl { idx, up, down, xor_ };
uint64_t warp_shfl(unsigned mask, uint64_t bits, Shfl mode, int arg, int width, Loc at);
unsigned warp_ballot(unsigned mask, bool pred, Loc at);
unsigned warp_match_any(unsigned mask, uint64_t v, Loc at);
unsigned warp_match_all(unsigned mask, uint64_t v, int* pred, Loc at);
enum class Reduce { add, min_s, max_s, min_u, max_u, and_, or_, xor_ };
unsigned warp_reduce(unsigned mask, unsigned v, Reduce op, Loc at);
void warp_sync(unsigned mask, Loc at);

unsigned active_mask();
unsigned thread_index();  // of the running CUDA thread in its block, x fastest
void yield();             // lets other threads of the block run: what a spin loop needs
void fence();
[[noreturn]] void trap(const char* what, Loc at);
void* dynamic_shared_base(Loc at);

template <class T> uint64_t to_bits(T v) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  uint64_t bits = 0;
  std::memcpy(&bits, &v, sizeof(T));
  return bits;
}
template <class T> T from_bits(uint64_t bits) {
  T v;
  std::memcpy(&v, &bits, sizeof(T));
  return v;
}

namespace cuda {

__forceinline__ void __syncthreads(Loc at = here()) { block_barrier(BlockReduce::none, 0, at); }
__forceinline__ int __syncthreads_count(int p, Loc at = here()) { return block_barrier(BlockReduce::count, p, at); }
__forceinline__ int __syncthreads_and(int p, Loc at = here()) { return block_barrier(BlockReduce::and_, p, at); }
__forceinline__ int __syncthreads_or(int p, Loc at = here()) { return block_barrier(BlockReduce::or_, p, at); }
__forceinline__ void __syncwarp(unsigned mask = 0xffffffffu, Loc at = here()) { warp_sync(mask, at); }

template <class T> __forceinline__ T __shfl_sync(unsigned mask, T v, int src, int width = 32, Loc at = here()) {
  return from_bits<T>(warp_shfl(mask, to_bits(v), Shfl::idx, src, width, at));
}
template <class T> __forceinline__ T __shfl_up_sync(unsigned mask, T v, unsigned d, int width = 32, Loc at = here()) {
  return from_bits<T>(warp_shfl(mask, to_bits(v), Shfl::up, int(d), width, at));
}
template <class T> __forceinline__ T __shfl_down_sync(unsigned mask, T v, unsigned d, int width = 32, Loc at = here()) {
  return from_bits<T>(warp_shfl(mask, to_bits(v), Shfl::down, int(d), width, at));
}
template <class T> __forceinline__ T __shfl_xor_sync(unsigned mask, T v, int m, int width = 32, Loc at = here()) {
  return from_bits<T>(warp_shfl(mask, to_bits(v), Shfl::xor_, m, width, at));
}
__forceinline__ unsigned __ballot_sync(unsigned mask, int p, Loc at = here()) { return warp_ballot(mask, p != 0, at); }
__forceinline__ int __any_sync(unsigned mask, int p, Loc at = here()) { return warp_ballot(mask, p != 0, at) != 0; }
__forceinline__ int __all_sync(unsigned mask, int p, Loc at = here()) { return warp_ballot(mask, p == 0, at) == 0; }
template <class T> __forceinline__ unsigned __match_any_sync(unsigned mask, T v, Loc at = here()) { return warp_match_any(mask, to_bits(v), at); }
template <class T> __forceinline__ unsigned __match_all_sync(unsigned mask, T v, int* pred, Loc at = here()) {
  return warp_match_all(mask, to_bits(v), pred, at);
}
__forceinline__ unsigned __activemask() { return active_mask(); }
__forceinline__ unsigned __reduce_add_sync(unsigned m, unsigned v, Loc at = here()) { return warp_reduce(m, v, Reduce::add, at); }
__forceinline__ int __reduce_add_sync(unsigned m, int v, Loc at = here()) { return int(warp_reduce(m, unsigned(v), Reduce::add, at)); }
__forceinline__ unsigned __reduce_min_sync(unsigned m, unsigned v, Loc at = here()) { return warp_reduce(m, v, Reduce::min_u, at); }
__forceinline__ int __reduce_min_sync(unsigned m, int v, Loc at = here()) { return int(warp_reduce(m, unsigned(v), Reduce::min_s, at)); }
__forceinline__ unsigned __reduce_max_sync(unsigned m, unsigned v, Loc at = here()) { return warp_reduce(m, v, Reduce::max_u, at); }
__forceinline__ int __reduce_max_sync(unsigned m, int v, Loc at = here()) { return int(warp_reduce(m, unsigned(v), Reduce::max_s, at)); }
__forceinline__ unsigned __reduce_and_sync(unsigned m, unsigned v, Loc at = here()) { return warp_reduce(m, v, Reduce::and_, at); }
__forceinline__ unsigned __reduce_or_sync(unsigned m, unsigned v, Loc at = here()) { return warp_reduce(m, v, Reduce::or_, at); }
__forceinline__ unsigned __reduce_xor_sync(unsigned m, unsigned v, Loc at = here()) { return warp_reduce(m, v, Reduce::xor_, at); }

__forceinline__ void __threadfence() { fence(); }
__forceinline__ void __threadfence_block() { fence(); }
__forceinline__ void __threadfence_system() { fence(); }
__forceinline__ void __nanosleep(unsigned) { yield(); }
__forceinline__ void __trap(Loc at = here()) { trap("__trap()", at); }

}  // namespace cuda
}  // namespace tapetum::emulation

using namespace tapetum::emulation::cuda;
