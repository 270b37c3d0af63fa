// y = f(x0, x1, x2; scalars). One thread an element. Memory bound: each operand
// is read or written once.
//   contiguous: all operands dense and of one type that is computed in float:
//   16 bytes of each a thread, in one access. strided: any strides
//   (broadcasting: 0) and dtypes; offsets come from the shape by division.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/elementwise.h"
#include "kernels/silu.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

template <class F, class T, int N> __global__ void __launch_bounds__(kThreads) elementwise_strided_kernel(ElementwiseArgs a) {
  const int64_t i = thread_number();
  if (i >= a.shape.count) return;
  const auto o = offsets_of(a.shape, i, a.shape.ndim);
  T x[N];
  for (int j = 0; j < N; ++j) x[j] = read<T>(a.x[j], a.dtype[j + 1], o.at[j + 1]);
  const T s[2] = {cast<T>(a.scalar[0]), cast<T>(a.scalar[1])};
  write<T>(a.y, a.dtype[0], o.at[0], static_cast<T>(F::at(x, s)));
}

template <class T> struct Operands {
  T* y;
  const T* x[kMaxInputs];
};

// What one access brings.
constexpr int kVectorBytes = 16;
template <class T> struct __align__(kVectorBytes) Vector { T of[kVectorBytes / sizeof(T)]; };

template <class F, class T, int N>
__global__ void __launch_bounds__(kThreads) elementwise_contiguous_kernel(Operands<T> p, int64_t count, float s0, float s1) {
  constexpr int kVector = kVectorBytes / sizeof(T);
  const int64_t first = thread_number() * kVector;
  const float s[2] = {s0, s1};
  if (first + kVector > count) {  // what is left for the last thread
    for (int64_t i = first; i < count; ++i) {
      float v[N];
      for (int j = 0; j < N; ++j) v[j] = widen(p.x[j][i]);
      p.y[i] = narrow<T>(static_cast<float>(F::at(v, s)));
    }
    return;
  }
  Vector<T> x[N], y;
#pragma unroll
  for (int j = 0; j < N; ++j) x[j] = *reinterpret_cast<const Vector<T>*>(p.x[j] + first);
#pragma unroll
  for (int k = 0; k < kVector; ++k) {  // unrolled, so that vectors stay in registers
    float v[N];
    for (int j = 0; j < N; ++j) v[j] = widen(x[j].of[k]);
    y.of[k] = narrow<T>(static_cast<float>(F::at(v, s)));
  }
  *reinterpret_cast<Vector<T>*>(p.y + first) = y;
}

// All operands are of the result's type, walk memory as one row, and begin at a multiple of 16 bytes.
template <int N> bool is_contiguous(const ElementwiseArgs& a) {
  if (a.compute != DType::f32 || !is_floating(a.dtype[0]) || a.shape.ndim != 1) return false;
  for (int j = 0; j <= N; ++j) {
    const void* p = j ? a.x[j - 1] : a.y;
    if (a.dtype[j] != a.dtype[0] || a.shape.stride[j][0] != 1 || reinterpret_cast<uintptr_t>(p) % kVectorBytes) return false;
  }
  return true;
}

template <class F, class T, int N> Status run_contiguous(const ElementwiseArgs& a, Workspace& w) {
  constexpr int64_t kVector = kVectorBytes / sizeof(T);
  Operands<T> p{static_cast<T*>(a.y), {}};
  for (int j = 0; j < N; ++j) p.x[j] = static_cast<const T*>(a.x[j]);
  const gpu::Launch at = launch_threads((a.shape.count + kVector - 1) / kVector, w);
  return status_of(gpu::launch<elementwise_contiguous_kernel<F, T, N>>(at, p, a.shape.count, cast<float>(a.scalar[0]), cast<float>(a.scalar[1])));
}

template <class F, class T, int N> Status run_strided(const ElementwiseArgs& a, Workspace& w) {
  const gpu::Launch at = launch_threads(a.shape.count, w);
  return status_of(gpu::launch<elementwise_strided_kernel<F, T, N>>(at, a));
}

enum class On { reals, numbers };  // numbers: integers too

template <class F, int N, On on> Status run(const ElementwiseArgs& a, Workspace& w) {
  if (a.shape.count == 0) return Status::ok;
  if (is_contiguous<N>(a)) return with_single_type(a.dtype[0], [&]<class T>() { return run_contiguous<F, T, N>(a, w); });
  if (a.compute == DType::f32) return run_strided<F, float, N>(a, w);
  if constexpr (on == On::numbers)
    if (a.compute == DType::i64) return run_strided<F, int64_t, N>(a, w);
  return run_strided<F, double, N>(a, w);
}

template <On on> bool supports(const ElementwiseArgs& a) { return is_compute(a.compute) || (on == On::numbers && a.compute == DType::i64); }

template <class T> __device__ T nan_max(T a, T b) { return a != a ? a : b != b ? b : a > b ? a : b; }
template <class T> __device__ T nan_min(T a, T b) { return a != a ? a : b != b ? b : a < b ? a : b; }
template <class T> __device__ int sign(T x) { return (x > 0) - (x < 0); }
__device__ float softplus(float x, float beta, float threshold) { return x * beta > threshold ? x : log1pf(expf(x * beta)) / beta; }
__device__ double softplus(double x, double beta, double threshold) { return x * beta > threshold ? x : log1p(exp(x * beta)) / beta; }
template <class T> __device__ T sigmoid(T x) { return 1 / (1 + exp(-x)); }
template <class T> __device__ T normal_density(T x) { return exp(x * x * T(-0.5)) * T(0.39894228040143267794); }
template <class T> __device__ T normal_integral(T x) { return (1 + erf(x * T(0.70710678118654752440))) * T(0.5); }

}  // namespace

// (ELEMENTWISE as in the reference: T is float, double or, on numbers,
// int64_t.)
#define ELEMENTWISE(op, inputs, on, expression)                                                                    \
  namespace {                                                                                                      \
  struct op##_function {                                                                                           \
    template <class T> __device__ static auto at(const T* x, [[maybe_unused]] const T* s) { return (expression); } \
  };                                                                                                               \
  }                                                                                                                \
  TAPETUM_CANDIDATE(ElementwiseArgs, op##_cuda) { .name = "threads", .supports = supports<On::on>, .run = run<op##_function, inputs, On::on> }

ELEMENTWISE(copy_forward, 1, numbers, x[0]);
ELEMENTWISE(neg_forward, 1, numbers, -x[0]);
ELEMENTWISE(abs_forward, 1, numbers, x[0] < 0 ? -x[0] : x[0] + 0);
ELEMENTWISE(sign_forward, 1, numbers, sign(x[0]));
ELEMENTWISE(square_forward, 1, numbers, x[0] * x[0]);
ELEMENTWISE(exp_forward, 1, reals, exp(x[0]));
ELEMENTWISE(log_forward, 1, reals, log(x[0]));
ELEMENTWISE(log1p_forward, 1, reals, log1p(x[0]));
ELEMENTWISE(sqrt_forward, 1, reals, sqrt(x[0]));
ELEMENTWISE(rsqrt_forward, 1, reals, 1 / sqrt(x[0]));
ELEMENTWISE(reciprocal_forward, 1, reals, 1 / x[0]);
ELEMENTWISE(sin_forward, 1, reals, sin(x[0]));
ELEMENTWISE(cos_forward, 1, reals, cos(x[0]));
ELEMENTWISE(tanh_forward, 1, reals, tanh(x[0]));
ELEMENTWISE(sigmoid_forward, 1, reals, sigmoid(x[0]));
ELEMENTWISE(erf_forward, 1, reals, erf(x[0]));
ELEMENTWISE(floor_forward, 1, reals, floor(x[0]));
ELEMENTWISE(ceil_forward, 1, reals, ceil(x[0]));
ELEMENTWISE(round_forward, 1, reals, nearbyint(x[0]));
ELEMENTWISE(isnan_forward, 1, reals, x[0] != x[0]);
ELEMENTWISE(isfinite_forward, 1, reals, x[0] - x[0] == 0);
ELEMENTWISE(logical_not_forward, 1, numbers, x[0] == 0);
ELEMENTWISE(relu_forward, 1, numbers, x[0] < 0 ? 0 : x[0]);
ELEMENTWISE(gelu_forward, 1, reals, x[0] * normal_integral(x[0]));
ELEMENTWISE(silu_forward, 1, reals, x[0] * sigmoid(x[0]));
ELEMENTWISE(softplus_forward, 1, reals, softplus(x[0], s[0], s[1]));
ELEMENTWISE(affine_forward, 1, numbers, x[0] * s[0] + s[1]);
ELEMENTWISE(pow_scalar_forward, 1, reals, pow(x[0], s[0]));
ELEMENTWISE(clamp_forward, 1, numbers, x[0]<s[0] ? s[0] : x[0]> s[1] ? s[1] : x[0]);

ELEMENTWISE(add_forward, 2, numbers, x[0] + x[1]);
ELEMENTWISE(sub_forward, 2, numbers, x[0] - x[1]);
ELEMENTWISE(mul_forward, 2, numbers, x[0] * x[1]);
ELEMENTWISE(div_forward, 2, reals, x[0] / x[1]);
ELEMENTWISE(pow_forward, 2, reals, pow(x[0], x[1]));
ELEMENTWISE(maximum_forward, 2, numbers, nan_max(x[0], x[1]));
ELEMENTWISE(minimum_forward, 2, numbers, nan_min(x[0], x[1]));
ELEMENTWISE(eq_forward, 2, numbers, x[0] == x[1]);
ELEMENTWISE(ne_forward, 2, numbers, x[0] != x[1]);
ELEMENTWISE(lt_forward, 2, numbers, x[0] < x[1]);
ELEMENTWISE(le_forward, 2, numbers, x[0] <= x[1]);
ELEMENTWISE(gt_forward, 2, numbers, x[0] > x[1]);
ELEMENTWISE(ge_forward, 2, numbers, x[0] >= x[1]);
ELEMENTWISE(logical_and_forward, 2, numbers, x[0] != 0 && x[1] != 0);
ELEMENTWISE(logical_or_forward, 2, numbers, x[0] != 0 || x[1] != 0);
ELEMENTWISE(logical_xor_forward, 2, numbers, (x[0] != 0) != (x[1] != 0));
ELEMENTWISE(relu_backward, 2, numbers, x[1] <= 0 ? 0 : x[0]);
ELEMENTWISE(gelu_backward, 2, reals, x[0] * (normal_integral(x[1]) + x[1] * normal_density(x[1])));
ELEMENTWISE(silu_backward, 2, reals, silu_gradient(x[0], x[1], sigmoid(x[1])));
ELEMENTWISE(clamp_backward, 2, numbers, x[1] >= s[0] && x[1] <= s[1] ? x[0] : 0);

ELEMENTWISE(where_forward, 3, numbers, x[0] != 0 ? x[1] : x[2]);

}  // namespace tapetum::kernels
