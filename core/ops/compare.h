// Comparisons and logic with broadcasting; results are bool tensors, or choose between values.
#pragma once
#include "core/scalar.h"
#include "core/tensor.h"

namespace tapetum {

#define TAPETUM_COMPARISON(op, symbol)                                                 \
  Tensor op(const Tensor& a, const Tensor& b);                                         \
  Tensor op(const Tensor& a, Scalar b);                                                \
  inline Tensor operator symbol(const Tensor& a, const Tensor& b) { return op(a, b); } \
  inline Tensor operator symbol(const Tensor& a, Scalar b) { return op(a, b); }
TAPETUM_COMPARISON(eq, ==)
TAPETUM_COMPARISON(ne, !=)
TAPETUM_COMPARISON(lt, <)
TAPETUM_COMPARISON(le, <=)
TAPETUM_COMPARISON(gt, >)
TAPETUM_COMPARISON(ge, >=)
#undef TAPETUM_COMPARISON

Tensor isnan(const Tensor& x);
Tensor isfinite(const Tensor& x);

// Any dtype counts as true where it is not zero.
Tensor logical_not(const Tensor& x);
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_xor(const Tensor& a, const Tensor& b);

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);  // condition ? a : b; condition is bool
Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
Tensor where(const Tensor& condition, Scalar a, Scalar b);              // i64, or f32
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);  // value where mask is true

}  // namespace tapetum
