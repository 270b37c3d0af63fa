// One element of the columns after the other.
#include "kernels/fold.h"

#include <algorithm>

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports(const FoldArgs& a) { return is_compute(a.shape.dtype); }

// f(element of the columns, its pixel: null outside of the image)
template <class T, class F> void for_each_element(const FoldArgs& a, F f) {
  const auto& z = a.shape;
  T *image = static_cast<T*>(a.image), *columns = static_cast<T*>(a.columns);
  for (int64_t plane = 0; plane < z.n * z.c; ++plane)
    for (int64_t r = 0; r < z.h.size; ++r)
      for (int64_t s = 0; s < z.w.size; ++s)
        for (int64_t p = 0; p < z.h.out; ++p)
          for (int64_t q = 0; q < z.w.out; ++q) {
            const int64_t h = p * z.h.stride - z.h.padding + r * z.h.dilation, w = q * z.w.stride - z.w.padding + s * z.w.dilation;
            const bool inside = h >= 0 && h < z.h.in && w >= 0 && w < z.w.in;
            f(*columns++, inside ? image + (plane * z.h.in + h) * z.w.in + w : nullptr);
          }
}

Status unfold(const FoldArgs& a, Workspace&) {
  with_compute_type(a.shape.dtype, [&]<class T>() { for_each_element<T>(a, [](T& element, const T* pixel) { element = pixel ? *pixel : 0; }); });
  return Status::ok;
}

Status fold(const FoldArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_compute_type(z.dtype, [&]<class T>() {
    std::fill_n(static_cast<T*>(a.image), z.n * z.c * z.h.in * z.w.in, T(0));
    for_each_element<T>(a, [](const T& element, T* pixel) {
      if (pixel) *pixel += element;
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(FoldArgs, unfold_reference){.name = "reference", .supports = supports, .run = unfold};
TAPETUM_CANDIDATE(FoldArgs, fold_reference){.name = "reference", .supports = supports, .run = fold};

}  // namespace tapetum::kernels
