#include "kernels/dice.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports_forward(const DiceSumsArgs& a) { return is_compute(a.shape.dtype); }
bool supports_backward(const DiceSumsBackwardArgs& a) { return is_compute(a.shape.dtype); }

int64_t offset_of(const LineShape& s, int64_t pixel, int64_t c) { return (pixel / s.inner * s.length + c) * s.inner + pixel % s.inner; }

Status forward(const DiceSumsArgs& a, Workspace&) {
  const auto& s = a.shape;
  with_compute_type(s.dtype, [&]<class T>() {
    const T* p = static_cast<const T*>(a.p);
    for (int64_t c = 0; c < s.length; ++c) {
      double overlap = 0, size = 0, count = 0;
      for (int64_t pixel = 0; pixel < s.outer * s.inner; ++pixel) {
        const int64_t t = a.target[pixel];
        if (t == a.ignore_index) continue;
        if ((t < 0 || t >= s.length) && pixel < a.bad->position) *a.bad = {pixel, t};
        const double v = p[offset_of(s, pixel, c)];
        overlap += t == c ? v : 0;
        size += a.squared ? v * v : v;
        count += t == c;
      }
      T* sums = static_cast<T*>(a.sums) + c;
      sums[0] = static_cast<T>(overlap);
      sums[s.length] = static_cast<T>(size);
      sums[2 * s.length] = static_cast<T>(count);
    }
  });
  return Status::ok;
}

Status backward(const DiceSumsBackwardArgs& a, Workspace&) {
  const auto& s = a.shape;
  with_compute_type(s.dtype, [&]<class T>() {
    const T *p = static_cast<const T*>(a.p), *g = static_cast<const T*>(a.gsums);
    for (int64_t pixel = 0; pixel < s.outer * s.inner; ++pixel)
      for (int64_t c = 0; c < s.length; ++c) {
        const int64_t t = a.target[pixel], at = offset_of(s, pixel, c);
        const double slope = double{g[s.length + c]} * (a.squared ? 2 * double{p[at]} : 1) + (t == c ? g[c] : 0);
        static_cast<T*>(a.gp)[at] = static_cast<T>(t == a.ignore_index ? 0 : slope);
      }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(DiceSumsArgs, dice_sums_forward_reference){.name = "reference", .supports = supports_forward, .run = forward};
TAPETUM_CANDIDATE(DiceSumsBackwardArgs, dice_sums_backward_reference){.name = "reference", .supports = supports_backward, .run = backward};

}  // namespace tapetum::kernels
