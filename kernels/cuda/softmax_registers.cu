// Softmax and log-softmax of dense lines that a warp can hold in its registers, and their gradients: each operand is read once, 16 bytes a lane
// where lines begin at multiples of that. docs/ladders/softmax.md comes here step by step.
#include <limits>

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/lines.cuh"
#include "kernels/cuda/softmax.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kShort = 8, kLong = 32;  // values of a line that each lane holds at most

template <class Args> bool supports(const Args& a) {
  return is_floating(a.shape.dtype) && a.shape.dtype != DType::f64 && has_warp_per_line(a.shape) && a.shape.length <= kLong * kWarp;
}

// A lane's part of a line: `kEach` neighbours of it, in one access, then those 32 * kEach further on. What lies behind its end is `fill`.
template <class T, int kHeld, int kEach> struct Held {
  struct alignas(kEach * sizeof(T)) Access {
    T of[kEach];
  };
  float of[kHeld];

  __device__ static int first() { return static_cast<int>(threadIdx.x) % kWarp * kEach; }

  __device__ Held(const T* line, int length, float fill) {
    line += first();
#pragma unroll
    for (int k = 0; k < kHeld; k += kEach) {
      const bool inside = first() + k * kWarp < length;
      const Access access = inside ? *reinterpret_cast<const Access*>(line + k * kWarp) : Access{};
#pragma unroll
      for (int i = 0; i < kEach; ++i) of[k + i] = inside ? widen(access.of[i]) : fill;
    }
  }
  __device__ void store(T* line, int length) const {
    line += first();
#pragma unroll
    for (int k = 0; k < kHeld; k += kEach) {
      Access access;
#pragma unroll
      for (int i = 0; i < kEach; ++i) access.of[i] = narrow<T>(of[k + i]);
      if (first() + k * kWarp < length) *reinterpret_cast<Access*>(line + k * kWarp) = access;
    }
  }
};

template <Result result, class T, int kHeld, int kEach>
__global__ void __launch_bounds__(kThreads) softmax_held_forward_kernel(int64_t lines, int length, T* y, const T* x) {
  const int64_t line = line_of_thread<kWarp>();
  if (line >= lines) return;
  Held<T, kHeld, kEach> values(x + line * length, length, -std::numeric_limits<float>::infinity());
  float top = -std::numeric_limits<float>::infinity(), sum = 0;
#pragma unroll
  for (float v : values.of) top = top < v ? v : top;
  top = max_lanes(top);
#pragma unroll
  for (float& v : values.of) {
    v -= top;
    const float power = exp(v);
    sum += power;
    if constexpr (result == Result::probability) v = power;
  }
  sum = sum_lanes(sum);
  const float log_sum = result == Result::logarithm ? log(sum) : 0;
#pragma unroll
  for (float& v : values.of) v = result == Result::logarithm ? v - log_sum : v / sum;
  values.store(y + line * length, length);
}

template <Result result, class T, int kHeld, int kEach>
__global__ void __launch_bounds__(kThreads) softmax_held_backward_kernel(int64_t lines, int length, T* gx, const T* gy, const T* y) {
  const int64_t line = line_of_thread<kWarp>();
  if (line >= lines) return;
  Held<T, kHeld, kEach> g(gy + line * length, length, 0);
  const Held<T, kHeld, kEach> v(y + line * length, length, 0);
  float sum = 0;
#pragma unroll
  for (int k = 0; k < kHeld; ++k) sum += result == Result::logarithm ? g.of[k] : g.of[k] * v.of[k];
  sum = sum_lanes(sum);
#pragma unroll
  for (int k = 0; k < kHeld; ++k) g.of[k] = result == Result::logarithm ? g.of[k] - exp(v.of[k]) * sum : v.of[k] * (g.of[k] - sum);
  g.store(gx + line * length, length);
}

// f(type, values that a lane holds, of which so many come in one access)
template <class... Pointers, class F> Status with_lines(const LineShape& s, F f, Pointers... pointers) {
  if (line_count(s) == 0) return Status::ok;
  return status_of(with_single_type(s.dtype, [&]<class T>() {
    constexpr int kVector = 16 / sizeof(T);
    const bool vectors = s.length % kVector == 0 && ((reinterpret_cast<uintptr_t>(pointers) % 16 == 0) && ...);
    if (s.length <= kShort * kWarp) return vectors ? f.template operator()<T, kShort, kVector>() : f.template operator()<T, kShort, 1>();
    return vectors ? f.template operator()<T, kLong, kVector>() : f.template operator()<T, kLong, 1>();
  }));
}

template <Result result> Status forward(const SoftmaxArgs& a, Workspace& w) {
  const auto launch = [&]<class T, int kHeld, int kEach>() {
    return gpu::launch<softmax_held_forward_kernel<result, T, kHeld, kEach>>(
        launch_lines(a.shape, kWarp, w), line_count(a.shape), static_cast<int>(a.shape.length), static_cast<T*>(a.y), static_cast<const T*>(a.x));
  };
  return with_lines(a.shape, launch, a.y, a.x);
}

template <Result result> Status backward(const SoftmaxBackwardArgs& a, Workspace& w) {
  const auto launch = [&]<class T, int kHeld, int kEach>() {
    return gpu::launch<softmax_held_backward_kernel<result, T, kHeld, kEach>>(launch_lines(a.shape, kWarp, w), line_count(a.shape),
                                                                              static_cast<int>(a.shape.length), static_cast<T*>(a.gx),
                                                                              static_cast<const T*>(a.gy), static_cast<const T*>(a.y));
  };
  return with_lines(a.shape, launch, a.gx, a.gy, a.y);
}

}  // namespace

#define SOFTMAX(Args, op, function) \
  TAPETUM_CANDIDATE(Args, op##_registers_cuda) { .name = "registers", .supports = supports, .error = softmax_error<Args>, .run = function }

SOFTMAX(SoftmaxArgs, softmax_forward, forward<Result::probability>);
SOFTMAX(SoftmaxArgs, log_softmax_forward, forward<Result::logarithm>);
SOFTMAX(SoftmaxBackwardArgs, softmax_backward, backward<Result::probability>);
SOFTMAX(SoftmaxBackwardArgs, log_softmax_backward, backward<Result::logarithm>);

}  // namespace tapetum::kernels
