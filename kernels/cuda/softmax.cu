// Softmax and log-softmax of lines, and their gradients. A thread reads its
// part of a line three times forward (maximum, sum, result) and twice backward
// (sum, result), once from memory and then from cache: 8 bytes an f32 element
// forward, 12 backward; 4 and 6 of 16-bit ones.
#include <limits>

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/lines.cuh"
#include "kernels/cuda/softmax.cuh"

namespace tapetum::kernels {
namespace {

template <class Args> bool supports(const Args& a) { return is_floating(a.shape.dtype); }

template <Result result, class T, int lanes> __global__ void __launch_bounds__(kThreads) softmax_forward_kernel(LineShape s, T* y, const T* x) {
  const int64_t number = line_of_thread<lanes>();
  if (number >= line_count(s)) return;
  const Line<lanes> line(s, number);
  using C = Compute<T>;
  C top = -std::numeric_limits<C>::infinity(), sum = 0;
  line.for_each([&](int64_t, int64_t at) {
    const C v = widen(x[at]);
    top = top < v ? v : top;
  });
  top = max_lanes<lanes>(top);
  line.for_each([&](int64_t, int64_t at) { sum += exp(widen(x[at]) - top); });
  sum = sum_lanes<lanes>(sum);
  if constexpr (result == Result::logarithm) {
    const C log_sum = log(sum);
    line.for_each([&](int64_t, int64_t at) { y[at] = narrow<T>(widen(x[at]) - top - log_sum); });
  } else {
    line.for_each([&](int64_t, int64_t at) { y[at] = narrow<T>(exp(widen(x[at]) - top) / sum); });
  }
}

template <Result result, class T, int lanes>
__global__ void __launch_bounds__(kThreads) softmax_backward_kernel(LineShape s, T* gx, const T* gy, const T* y) {
  const int64_t number = line_of_thread<lanes>();
  if (number >= line_count(s)) return;
  const Line<lanes> line(s, number);
  constexpr bool logarithm = result == Result::logarithm;
  Compute<T> sum = 0;
  line.for_each([&](int64_t, int64_t at) { sum += logarithm ? widen(gy[at]) : widen(gy[at]) * widen(y[at]); });
  sum = sum_lanes<lanes>(sum);
  line.for_each([&](int64_t, int64_t at) {
    const Compute<T> g = widen(gy[at]), v = widen(y[at]);
    gx[at] = narrow<T>(logarithm ? g - exp(v) * sum : v * (g - sum));
  });
}

// f(type, lanes of a line)
template <class F> Status with_lanes(const LineShape& s, F f) {
  if (line_count(s) * s.length == 0) return Status::ok;
  return status_of(with_floating_type(
      s.dtype, [&]<class T>() { return has_warp_per_line(s) ? f.template operator()<T, kWarp>() : f.template operator()<T, 1>(); }));
}

template <Result result> Status forward(const SoftmaxArgs& a, Workspace& w) {
  return with_lanes(a.shape, [&]<class T, int lanes>() {
    return gpu::launch<softmax_forward_kernel<result, T, lanes>>(launch_lines(a.shape, lanes, w), a.shape, static_cast<T*>(a.y),
                                                                 static_cast<const T*>(a.x));
  });
}

template <Result result> Status backward(const SoftmaxBackwardArgs& a, Workspace& w) {
  return with_lanes(a.shape, [&]<class T, int lanes>() {
    return gpu::launch<softmax_backward_kernel<result, T, lanes>>(launch_lines(a.shape, lanes, w), a.shape, static_cast<T*>(a.gx),
                                                                  static_cast<const T*>(a.gy), static_cast<const T*>(a.y));
  });
}

}  // namespace

#define SOFTMAX(Args, op, function) \
  TAPETUM_CANDIDATE(Args, op##_cuda) { .name = "lines", .supports = supports, .error = softmax_error<Args>, .run = function }

SOFTMAX(SoftmaxArgs, softmax_forward, forward<Result::probability>);
SOFTMAX(SoftmaxArgs, log_softmax_forward, forward<Result::logarithm>);
SOFTMAX(SoftmaxBackwardArgs, softmax_backward, backward<Result::probability>);
SOFTMAX(SoftmaxBackwardArgs, log_softmax_backward, backward<Result::logarithm>);

}  // namespace tapetum::kernels
