// The overlap of two boxes, written once for all devices and for registers: the same operations in the same order give the same bits, and so
// the same boxes kept. Units that include this are compiled without fused multiply-adds (cmake/exact_units.cmake), which round once where
// a product and a sum round twice.
#pragma once
#include <cmath>
#include <cstdint>

namespace tapetum::kernels {
namespace {

// T is float, double, or a register of them, which brings functions of its own.
template <class T> constexpr T greater_of(T a, T b) { return a > b ? a : b; }
template <class T> constexpr T lesser_of(T a, T b) { return a < b ? a : b; }

template <class T> struct Box { T x1, y1, x2, y2, area; };

template <class T> constexpr Box<T> make_box(T x1, T y1, T x2, T y2) { return {x1, y1, x2, y2, (x2 - x1) * (y2 - y1)}; }
template <class T> constexpr Box<T> box_at(const T* boxes, int64_t i) {
  const T* p = boxes + 4 * i;
  return make_box(p[0], p[1], p[2], p[3]);
}

// Nothing where one of the boxes is inverted.
template <class T> constexpr T intersection(const Box<T>& a, const Box<T>& b) {
  const T w = greater_of(lesser_of(a.x2, b.x2) - greater_of(a.x1, b.x1), T(0));
  const T h = greater_of(lesser_of(a.y2, b.y2) - greater_of(a.y1, b.y1), T(0));
  return w * h;
}

// NaN where a coordinate is, since an area is, and for two boxes without area.
template <class T> constexpr T iou(const Box<T>& a, const Box<T>& b) {
  const T shared = intersection(a, b);
  return shared / (a.area + b.area - shared);
}

// Rezatofighi et al., 2019, algorithm 1: less the share of the smallest box around both that neither covers.
template <class T> constexpr T generalized_iou(const Box<T>& a, const Box<T>& b) {
  const T shared = intersection(a, b), both = a.area + b.area - shared;
  const T w = greater_of(greater_of(a.x2, b.x2) - lesser_of(a.x1, b.x1), T(0));
  const T h = greater_of(greater_of(a.y2, b.y2) - lesser_of(a.y1, b.y1), T(0));
  const T around = w * h;
  return shared / both - (around - both) / around;
}

// The greatest T that is not above `threshold`: x > threshold in double for just those x of T that are above it.
template <class T> T threshold_in(double threshold) {
  const T t = static_cast<T>(threshold);
  return static_cast<double>(t) > threshold ? std::nextafter(t, -static_cast<T>(INFINITY)) : t;
}

}  // namespace
}  // namespace tapetum::kernels
