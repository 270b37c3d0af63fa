// y_i = exp(x_i - max x) / sum_j exp(x_j - max x), and its logarithm without ever taking the logarithm of a small number.
#include "kernels/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

template <class Args> bool supports(const Args& a) { return is_compute(a.shape.dtype); }

// f(at, stride): the offset of each line's first element, and the distance of its elements.
template <class F> void for_each_line(const LineShape& s, F f) {
  for (int64_t o = 0; o < s.outer; ++o)
    for (int64_t i = 0; i < s.inner; ++i) f(o * s.length * s.inner + i, s.inner);
}

Status softmax(const SoftmaxArgs& a, bool logarithm) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    for_each_line(a.shape, [&](int64_t at, int64_t stride) {
      const T* x = static_cast<const T*>(a.x) + at;
      T* y = static_cast<T*>(a.y) + at;
      double top = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int64_t i = 0; i < a.shape.length; ++i) top = std::max<double>(top, x[i * stride]);
      for (int64_t i = 0; i < a.shape.length; ++i) sum += std::exp(x[i * stride] - top);
      for (int64_t i = 0; i < a.shape.length; ++i) {
        const double shifted = x[i * stride] - top;
        y[i * stride] = static_cast<T>(logarithm ? shifted - std::log(sum) : std::exp(shifted) / sum);
      }
    });
  });
  return Status::ok;
}

Status backward(const SoftmaxBackwardArgs& a, bool logarithm) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    for_each_line(a.shape, [&](int64_t at, int64_t stride) {
      const T *gy = static_cast<const T*>(a.gy) + at, *y = static_cast<const T*>(a.y) + at;
      T* gx = static_cast<T*>(a.gx) + at;
      double sum = 0;
      for (int64_t i = 0; i < a.shape.length; ++i) sum += logarithm ? gy[i * stride] : double{gy[i * stride]} * y[i * stride];
      for (int64_t i = 0; i < a.shape.length; ++i) {
        const double g = gy[i * stride], v = y[i * stride];
        gx[i * stride] = static_cast<T>(logarithm ? g - std::exp(v) * sum : v * (g - sum));
      }
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(SoftmaxArgs, softmax_forward_reference){
    .name = "reference", .supports = supports, .run = [](const SoftmaxArgs& a, Workspace&) { return softmax(a, false); }};
TAPETUM_CANDIDATE(SoftmaxArgs, log_softmax_forward_reference){
    .name = "reference", .supports = supports, .run = [](const SoftmaxArgs& a, Workspace&) { return softmax(a, true); }};
TAPETUM_CANDIDATE(SoftmaxBackwardArgs, softmax_backward_reference){
    .name = "reference", .supports = supports, .run = [](const SoftmaxBackwardArgs& a, Workspace&) { return backward(a, false); }};
TAPETUM_CANDIDATE(SoftmaxBackwardArgs, log_softmax_backward_reference){
    .name = "reference", .supports = supports, .run = [](const SoftmaxBackwardArgs& a, Workspace&) { return backward(a, true); }};

}  // namespace tapetum::kernels
