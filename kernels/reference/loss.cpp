#include "kernels/loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports_forward(const CrossEntropyForwardArgs& a) { return is_compute(a.shape.dtype); }
bool supports_backward(const CrossEntropyBackwardArgs& a) { return is_compute(a.shape.dtype); }

template <class T> double weight_of(const void* weight, int64_t c) { return weight ? static_cast<const T*>(weight)[c] : T(1); }

// f(pixel, offset of its first logit); logits are shape.inner apart.
template <class F> void for_each_pixel(const LineShape& s, F f) {
  for (int64_t pixel = 0; pixel < s.outer * s.inner; ++pixel) f(pixel, pixel / s.inner * s.length * s.inner + pixel % s.inner);
}

Status forward(const CrossEntropyForwardArgs& a, Workspace&) {
  const auto& s = a.shape;
  const double e = a.options.label_smoothing;
  with_compute_type(s.dtype, [&]<class T>() {
    double total = 0, total_weight = 0;
    for_each_pixel(s, [&](int64_t pixel, int64_t at) {
      const T* x = static_cast<const T*>(a.x) + at;
      double top = -std::numeric_limits<double>::infinity(), sum = 0, smooth = 0;
      for (int64_t c = 0; c < s.length; ++c) top = std::max<double>(top, x[c * s.inner]);
      for (int64_t c = 0; c < s.length; ++c) sum += std::exp(x[c * s.inner] - top);
      const double lse = top + std::log(sum);
      for (int64_t c = 0; c < s.length; ++c) smooth += weight_of<T>(a.weight, c) * (lse - x[c * s.inner]);
      static_cast<T*>(a.lse)[pixel] = static_cast<T>(lse);
      const int64_t t = a.target[pixel];
      double loss = 0;
      if (t >= 0 && t < s.length && t != a.options.ignore_index) {
        const double w = weight_of<T>(a.weight, t);
        loss = (1 - e) * w * (lse - x[t * s.inner]) + (e == 0 ? 0 : e / static_cast<double>(s.length) * smooth);
        total_weight += w;
      } else if (t != a.options.ignore_index && pixel < a.bad->position) {
        *a.bad = {pixel, t};
      }
      total += loss;
      if (a.options.reduction == Reduction::none) static_cast<T*>(a.loss)[pixel] = static_cast<T>(loss);
    });
    if (a.options.reduction == Reduction::mean) total /= total_weight;
    if (a.options.reduction != Reduction::none) *static_cast<T*>(a.loss) = static_cast<T>(total);
    *static_cast<T*>(a.total_weight) = static_cast<T>(total_weight);
  });
  return Status::ok;
}

Status backward(const CrossEntropyBackwardArgs& a, Workspace&) {
  const auto& s = a.shape;
  const double e = a.options.label_smoothing, share = e / static_cast<double>(s.length);
  with_compute_type(s.dtype, [&]<class T>() {
    double all = 0;
    for (int64_t c = 0; c < s.length; ++c) all += weight_of<T>(a.weight, c);
    for_each_pixel(s, [&](int64_t pixel, int64_t at) {
      const T* x = static_cast<const T*>(a.x) + at;
      T* gx = static_cast<T*>(a.gx) + at;
      const int64_t t = a.target[pixel];
      const bool ignored = t == a.options.ignore_index;
      double g = static_cast<const T*>(a.gy)[a.options.reduction == Reduction::none ? pixel : 0];
      if (a.options.reduction == Reduction::mean) g /= *static_cast<const T*>(a.total_weight);
      const double hit = ignored ? 0 : (1 - e) * weight_of<T>(a.weight, t), lse = static_cast<const T*>(a.lse)[pixel];
      for (int64_t c = 0; c < s.length; ++c) {
        const double p = std::exp(x[c * s.inner] - lse);
        const double slope = p * (hit + share * all) - (c == t ? hit : 0) - share * weight_of<T>(a.weight, c);
        gx[c * s.inner] = static_cast<T>(ignored ? 0 : g * slope);
      }
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(CrossEntropyForwardArgs, cross_entropy_forward_reference){.name = "reference", .supports = supports_forward, .run = forward};
TAPETUM_CANDIDATE(CrossEntropyBackwardArgs, cross_entropy_backward_reference){.name = "reference", .supports = supports_backward, .run = backward};

}  // namespace tapetum::kernels
