// y_i = exp(x_i - max x) / sum_j exp(x_j - max x)
#include "kernels/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports(const SoftmaxArgs&) { return true; }

template <class T> void softmax_line(const T* x, T* y, int64_t length, int64_t stride) {
  double top = -std::numeric_limits<double>::infinity(), sum = 0;
  for (int64_t i = 0; i < length; ++i) top = std::max<double>(top, x[i * stride]);
  for (int64_t i = 0; i < length; ++i) sum += std::exp(x[i * stride] - top);
  for (int64_t i = 0; i < length; ++i) y[i * stride] = static_cast<T>(std::exp(x[i * stride] - top) / sum);
}

Status softmax(const SoftmaxArgs& a, Workspace&) {
  const auto& s = a.shape;
  with_compute_type(s.dtype, [&]<class T>() {
    for (int64_t o = 0; o < s.outer; ++o)
      for (int64_t i = 0; i < s.inner; ++i) {
        const int64_t at = o * s.length * s.inner + i;
        softmax_line(static_cast<const T*>(a.x) + at, static_cast<T*>(a.y) + at, s.length, s.inner);
      }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(SoftmaxArgs, softmax_reference){.name = "reference", .supports = supports, .run = softmax};

}  // namespace tapetum::kernels
