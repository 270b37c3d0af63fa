// The obvious loops, computed in double.
#include "kernels/elementwise.h"

#include <cmath>

#include "kernels/candidates.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

template <auto f> Status unary(const UnaryArgs& a, Workspace&) {
  with_compute_type(a.dtype, [&]<class T>() {
    for (int64_t i = 0; i < a.shape.count; ++i) {
      const auto o = offsets_of(a.shape, i, a.shape.ndim);
      static_cast<T*>(a.y)[o.at[0]] = static_cast<T>(f(static_cast<const T*>(a.x)[o.at[1]]));
    }
  });
  return Status::ok;
}

template <auto f> Status binary(const BinaryArgs& a, Workspace&) {
  with_compute_type(a.dtype, [&]<class T>() {
    for (int64_t i = 0; i < a.shape.count; ++i) {
      const auto o = offsets_of(a.shape, i, a.shape.ndim);
      static_cast<T*>(a.y)[o.at[0]] = static_cast<T>(f(static_cast<const T*>(a.a)[o.at[1]], static_cast<const T*>(a.b)[o.at[2]]));
    }
  });
  return Status::ok;
}

template <class Args> constexpr bool (*any)(const Args&) = [](const Args&) { return true; };

}  // namespace

#define UNARY(op, expression)                                                                            \
  TAPETUM_CANDIDATE(UnaryArgs, op##_reference) {                                                         \
    .name = "reference", .supports = any<UnaryArgs>, .run = unary<[](double x) { return (expression); }> \
  }
#define BINARY(op, expression)                                                                                       \
  TAPETUM_CANDIDATE(BinaryArgs, op##_reference) {                                                                    \
    .name = "reference", .supports = any<BinaryArgs>, .run = binary<[](double a, double b) { return (expression); }> \
  }

UNARY(copy, x);
UNARY(neg, -x);
UNARY(exp, std::exp(x));
UNARY(log, std::log(x));
UNARY(sqrt, std::sqrt(x));
UNARY(relu, x > 0 ? x : 0);
UNARY(tanh, std::tanh(x));

BINARY(add_forward, a + b);
BINARY(sub_forward, a - b);
BINARY(mul_forward, a* b);
BINARY(div_forward, a / b);
BINARY(relu_backward, b > 0 ? a : 0);

}  // namespace tapetum::kernels
