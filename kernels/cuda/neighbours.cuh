// Neighbours in memory that one instruction reads or writes.
#pragma once
#include "kernels/cuda/gpu/ptx.cuh"

namespace tapetum::kernels {
namespace {

template <class T, int n> struct alignas(n * sizeof(T)) Neighbours { T at[n]; };

// *to(q) = value(q) for q < n and q < count: at once where all n are neighbours from a multiple of their size on.
template <int n, class To, class Value> __device__ void write_neighbours(int64_t count, To to, Value value) {
  auto* const first = to(0);
  Neighbours<std::remove_reference_t<decltype(*first)>, n> values;
#pragma unroll
  for (int q = 0; q < n; ++q)
    if (q < count) values.at[q] = value(q);
  bool together = count >= n && reinterpret_cast<uintptr_t>(first) % sizeof(values) == 0;
#pragma unroll
  for (int q = 1; q < n; ++q) together = together && to(q) == first + q;
  if (together) {
    *ptx::as_typed(reinterpret_cast<decltype(values)*>(first)) = values;
  } else {
#pragma unroll
    for (int q = 0; q < n; ++q)
      if (q < count) *to(q) = values.at[q];
  }
}

}  // namespace
}  // namespace tapetum::kernels
