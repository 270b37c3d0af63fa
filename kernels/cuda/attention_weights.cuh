// What the gradient kernels know of one pair of query and key, and delta, which they need of each query.
#pragma once
#include "kernels/attention_elements.h"
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

__device__ inline int lane() { return static_cast<int>(threadIdx.x) % kWarp; }

// Each row begins at a multiple of 16 bytes, which are `n` elements.
template <class Pointer> bool has_aligned_rows(const Heads<Pointer>& x, int64_t n) {
  return reinterpret_cast<uintptr_t>(x.data) % 16 == 0 && x.batch % n == 0 && x.head % n == 0 && x.row % n == 0;
}

// delta_i = gy_i . out_i, a warp each.
template <class S, class T> __global__ void __launch_bounds__(kThreads) attention_backward_delta_kernel(AttentionBackwardArgs args, T* delta) {
  const AttentionProblem& p = args.problem;
  const int64_t number = thread_number() / kWarp, head = number / p.queries, i = number % p.queries;
  if (head >= head_count(p)) return;
  const S *gy = rows_of<S>(args.gy, p, head) + i * args.gy.row, *out = rows_of<S>(args.out, p, head) + i * args.out.row;
  T sum = 0;
  for (int64_t d = lane(); d < p.value_width; d += kWarp) sum += widen(gy[d]) * widen(out[d]);
  sum = sum_lanes(sum);
  if (lane() == 0) delta[number] = sum;
}

// For pair (i, j) from its products: f p and scale ds; zeros outside of the problem.
template <class T> struct Weight { T weight, slope; };
template <class S, class T> struct Weights {
  int64_t queries, keys;
  const T *lse, *delta;
  Scores<S, T> score;
  bool drops;
  Dropout<T> dropout;

  __device__ Weights(const AttentionProblem& p, const void* lses, const T* deltas, int64_t head)
      : queries(p.queries),
        keys(p.keys),
        lse(static_cast<const T*>(lses) + head * p.queries),
        delta(deltas + head * p.queries),
        score(p, head),
        drops(has_dropout(p)),
        dropout(p, head) {}
  __device__ Weight<T> operator()(int64_t i, int64_t j, T qk, T dp) {
    if (i >= queries || j >= keys) return {0, 0};
    const T weight = exp(score(i, j, qk) - lse[i]), factor = drops ? dropout(i, j) : T(1);
    return {factor * weight, score.scale * weight * (factor * dp - delta[i])};
  }
};

// delta, at the start of the workspace.
template <class S, class T> cudaError_t launch_delta(const AttentionBackwardArgs& a, const Workspace& w) {
  const gpu::Launch rows = launch_threads(head_count(a.problem) * a.problem.queries, w, kWarp);
  return rows.grid.x ? gpu::launch<attention_backward_delta_kernel<S, T>>(rows, a, static_cast<T*>(w.data)) : cudaSuccess;
}

// delta, the gradient of the queries, and those of keys and values, until one fails.
template <class S, class T, auto Queries, auto Keys>
Status launch_backward(const AttentionBackwardArgs& a, const Workspace& w, const gpu::Launch& queries, const gpu::Launch& keys) {
  const T* delta = static_cast<const T*>(w.data);
  cudaError_t e = launch_delta<S, T>(a, w);
  if (e == cudaSuccess && queries.grid.x) e = gpu::launch<Queries>(queries, a, delta);
  if (e == cudaSuccess && keys.grid.x) e = gpu::launch<Keys>(keys, a, delta);
  return status_of(e);
}

// Bounds of errors in units of eps of what is computed in, where scores, values and the products of gradients are of magnitude 1: an error of
// greater ones is as many times greater. n roundings of a sum add up to 2 sqrt(n), seven standard deviations of as many random ones. Tensor
// cores cut off what they shift out of a sum, each 16 products once, and take weights rounded to 16 bits.
struct AttentionError {
  const AttentionProblem& p;
  bool tensor_cores;

  double sum(int64_t n) const { return 2 * __builtin_sqrt(static_cast<double>(n)) + (tensor_cores ? static_cast<double>(n) / 16 : 0); }
  double rounded() const { return !tensor_cores ? 0 : p.dtype == DType::f16 ? 0x1p12 : 0x1p15; }
  // Of its product, its scaling and the power.
  double weight() const { return sum(p.width) + 5; }
  // Weights are in the sum over keys and in its divisor; tiles' sums are scaled at times.
  double weighted() const { return 2 * weight() + 2.5 * sum(p.keys) + 2; }
  double forward() const { return weighted() + rounded(); }
  // lse is no more wrong than a weighted sum. A slope is that of a weight times the difference of a product and delta, which has out's error.
  double backward() const {
    const double slope = 2 * (weight() + weighted()) + 2 * sum(p.value_width) + forward() + 4;
    return slope + sum(p.keys < p.queries ? p.queries : p.keys) + rounded();
  }
};

// One number a query, in what the problem is computed in.
inline size_t delta_bytes(const AttentionBackwardArgs& a) {
  return static_cast<size_t>(head_count(a.problem) * a.problem.queries) * (a.problem.dtype == DType::f64 ? sizeof(double) : sizeof(float));
}

}  // namespace
}  // namespace tapetum::kernels
