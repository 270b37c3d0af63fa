// What sorts share: elements as unsigned keys of the same order, and where a line's elements lie.
#pragma once
#include "kernels/cuda/launch.cuh"
#include "kernels/sort.h"

namespace tapetum::kernels {
namespace {

constexpr int kRun = 1024;  // elements that a block sorts by itself

// Keys of up to 4 bytes are kept as 32 bits; of theirs the lowest sizeof(T) bytes count.
template <class T> using Key = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
template <class T> using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint16_t>>;

template <class T> constexpr bool is_real = std::is_floating_point_v<T> || std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <class T> constexpr int kMantissa = sizeof(T) == 8 ? 52 : sizeof(T) == 4 ? 23 : std::is_same_v<T, Half> ? 10 : 7;

// Signed integers: the sign bit flipped. Floating-point: negative numbers have all bits flipped, the others the sign bit; -0 counts as 0, and
// any NaN is above infinity.
template <class T> __device__ Key<T> ascending_key(T x) {
  if constexpr (is_real<T>) {
    using B = Bits<T>;
    constexpr B sign = B{1} << (8 * sizeof(T) - 1), infinity = (sign - 1) >> kMantissa<T> << kMantissa<T>;
    const B bits = __builtin_bit_cast(B, x), magnitude = bits & ~sign;
    if (magnitude > infinity) return static_cast<B>(~B{0});
    return static_cast<B>(bits & sign && magnitude ? ~bits : magnitude | sign);
  } else if constexpr (std::is_signed_v<T>) {
    using B = std::make_unsigned_t<T>;
    return static_cast<B>(static_cast<B>(x) ^ B{1} << (8 * sizeof(T) - 1));
  } else {
    return x;
  }
}
template <class T> __device__ Key<T> key_of(T x, bool descending) { return descending ? ~ascending_key(x) : ascending_key(x); }

// A line's first element in x, and in the results.
struct Line {
  int64_t from, to;
};
__device__ inline Line line_of(const TopkArgs& a, int64_t line) {
  const int64_t o = line / a.shape.inner, at = line % a.shape.inner;
  return {o * a.shape.length * a.shape.inner + at, o * a.k * a.shape.inner + at};
}
template <class T> __device__ void put(const TopkArgs& a, const Line& line, int64_t rank, int64_t place) {
  if (rank >= a.k) return;
  static_cast<T*>(a.values)[line.to + rank * a.shape.inner] = static_cast<const T*>(a.x)[line.from + place * a.shape.inner];
  a.indices[line.to + rank * a.shape.inner] = place;
}

// The keys of all lines, one after the other, and each one's place in its line.
template <class T> __global__ void __launch_bounds__(kThreads) topk_keys_kernel(TopkArgs a, Key<T>* keys, int32_t* places) {
  const int64_t at = thread_number(), length = a.shape.length;
  if (at >= a.shape.outer * a.shape.inner * length) return;
  const int64_t i = at % length;
  keys[at] = key_of(static_cast<const T*>(a.x)[line_of(a, at / length).from + i * a.shape.inner], a.descending);
  places[at] = static_cast<int32_t>(i);
}

// The first k of each line, by their places in order.
template <class T> __global__ void __launch_bounds__(kThreads) topk_write_kernel(TopkArgs a, const int32_t* places) {
  const int64_t at = thread_number();
  if (at >= a.shape.outer * a.shape.inner * a.k) return;
  const int64_t line = at / a.k, rank = at % a.k;
  put<T>(a, line_of(a, line), rank, places[line * a.shape.length + rank]);
}

inline int64_t lines_of(const TopkArgs& a) { return a.shape.outer * a.shape.inner; }
inline bool is_nothing(const TopkArgs& a) { return a.k == 0 || lines_of(a) == 0; }

}  // namespace
}  // namespace tapetum::kernels
