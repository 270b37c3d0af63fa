// y[p, q] = max of x over the window of (p, q); the gradient goes to the place of that maximum.
#include "kernels/pool.h"

#include <cmath>
#include <limits>

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports(const MaxPool2dArgs& a) { return is_compute(a.shape.dtype); }

int64_t offset(const int64_t (&stride)[4], int64_t n, int64_t c, int64_t i, int64_t j) {
  return n * stride[0] + c * stride[1] + i * stride[2] + j * stride[3];
}

// f(n, c, p, q) for every output.
template <class F> void for_each_output(const MaxPool2dShape& z, F f) {
  for (int64_t n = 0; n < z.n; ++n)
    for (int64_t c = 0; c < z.c; ++c)
      for (int64_t p = 0; p < z.h.out; ++p)
        for (int64_t q = 0; q < z.w.out; ++q) f(n, c, p, q);
}

Status forward(const MaxPool2dArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_compute_type(z.dtype, [&]<class T>() {
    auto x = static_cast<const T*>(a.x);
    for_each_output(z, [&](int64_t n, int64_t c, int64_t p, int64_t q) {
      T best = -std::numeric_limits<T>::infinity();
      int64_t place = first_place(z, p, q);
      for (int64_t h = z.h.begin(p); h < z.h.end(p); h += z.h.dilation)
        for (int64_t w = z.w.begin(q); w < z.w.end(q); w += z.w.dilation) {
          const T v = x[offset(z.x_stride, n, c, h, w)];
          if (v > best || std::isnan(v)) {
            best = v;
            place = h * z.w.in + w;
          }
        }
      static_cast<T*>(a.y)[offset(z.y_stride, n, c, p, q)] = best;
      a.index[offset(z.index_stride, n, c, p, q)] = static_cast<int32_t>(place);
    });
  });
  return Status::ok;
}

// f(element of x, element of y) for every output whose index lies in the plane.
template <class T, class F> void for_each_pair(const MaxPool2dArgs& a, F f) {
  const auto& z = a.shape;
  for_each_output(z, [&](int64_t n, int64_t c, int64_t p, int64_t q) {
    const int64_t place = a.index[offset(z.index_stride, n, c, p, q)];
    if (place < 0 || place >= z.h.in * z.w.in) return;
    f(static_cast<T*>(a.x)[offset(z.x_stride, n, c, place / z.w.in, place % z.w.in)], static_cast<T*>(a.y)[offset(z.y_stride, n, c, p, q)]);
  });
}

Status gather(const MaxPool2dArgs& a, Workspace&) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    for_each_output(a.shape, [&](int64_t n, int64_t c, int64_t p, int64_t q) { static_cast<T*>(a.y)[offset(a.shape.y_stride, n, c, p, q)] = 0; });
    for_each_pair<T>(a, [](const T& x, T& y) { y = x; });
  });
  return Status::ok;
}

Status scatter(const MaxPool2dArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_compute_type(z.dtype, [&]<class T>() {
    for (int64_t n = 0; n < z.n; ++n)
      for (int64_t c = 0; c < z.c; ++c)
        for (int64_t h = 0; h < z.h.in; ++h)
          for (int64_t w = 0; w < z.w.in; ++w) static_cast<T*>(a.x)[offset(z.x_stride, n, c, h, w)] = 0;
    for_each_pair<T>(a, [](T& x, const T& y) { x += y; });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(MaxPool2dArgs, max_pool2d_forward_reference){.name = "reference", .supports = supports, .run = forward};
TAPETUM_CANDIDATE(MaxPool2dArgs, max_pool2d_gather_reference){.name = "reference", .supports = supports, .run = gather};
TAPETUM_CANDIDATE(MaxPool2dArgs, max_pool2d_scatter_reference){.name = "reference", .supports = supports, .run = scatter};

}  // namespace tapetum::kernels
