// Reductions over the lanes of a warp and over the threads of a block: always the same tree, so always the same bits.
#pragma once
#include <type_traits>

#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffff;

// The value of the lane whose number differs in `bits`. (A struct that is reduced has an overload of its own.)
template <class T>
requires std::is_arithmetic_v<T> __device__ T shuffle_xor(T value, int bits) { return __shfl_xor_sync(kAllLanes, value, bits); }

// Every lane gets the combination of its `lanes` neighbours; f is commutative.
template <int lanes = kWarp, class T, class F> __device__ T reduce_lanes(T value, F f) {
  for (int bits = lanes / 2; bits; bits /= 2) value = f(value, shuffle_xor(value, bits));
  return value;
}
template <int lanes = kWarp, class T> __device__ T sum_lanes(T value) {
  return reduce_lanes<lanes>(value, [](T a, T b) { return a + b; });
}
template <int lanes = kWarp, class T> __device__ T max_lanes(T value) {
  return reduce_lanes<lanes>(value, [](T a, T b) { return a < b ? b : a; });
}

// Every lane gets the sum of its value and those of the lanes below (Hillis, Steele 1986).
template <class T> __device__ T scan_lanes(T value) {
  for (unsigned step = 1; step < kWarp; step *= 2) {
    const T below = __shfl_up_sync(kAllLanes, value, step);
    if (threadIdx.x % kWarp >= step) value += below;
  }
  return value;
}

// The sum of the values of the threads before this one in a one-dimensional block of whole warps; `total` gets that of all.
template <class T> __device__ T sum_before(T value, T& total) {
  __shared__ T of_warp[kWarp];
  const unsigned lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const T through = scan_lanes(value);
  if (lane == kWarp - 1) of_warp[warp] = through;
  __syncthreads();
  T before = through - value;
  total = 0;
  for (unsigned w = 0; w < blockDim.x / kWarp; ++w) {
    before += w < warp ? of_warp[w] : 0;
    total += of_warp[w];
  }
  __syncthreads();  // before another call overwrites them
  return before;
}

// Thread 0 gets the combination of all threads of a one-dimensional block of whole warps. Once a kernel: a second call would overwrite what
// thread 0 still reads.
template <class T, class F> __device__ T reduce_block(T value, F f) {
  __shared__ T of_warp[kWarp];
  value = reduce_lanes(value, f);
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = value;
  __syncthreads();
  for (unsigned w = 1; threadIdx.x == 0 && w < blockDim.x / kWarp; ++w) value = f(value, of_warp[w]);
  return value;
}

}  // namespace
}  // namespace tapetum::kernels
