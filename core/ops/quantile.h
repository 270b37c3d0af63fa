// Values at a place in the order of the others, with PyTorch's rules for what lies between two of them and for NaN.
#pragma once
#include <optional>

#include "core/ops/indexed.h"

namespace tapetum {

// Between the values beside rank q (n - 1): on the line between them, the lower, the higher, the nearer (halves to the even rank), or their mean.
enum class QuantileInterpolation { linear, lower, higher, nearest, midpoint };

struct QuantileOptions {
  std::optional<int> dim = std::nullopt;  // nullopt: of all values
  bool keepdim = false;
  QuantileInterpolation interpolation = QuantileInterpolation::linear;
};

// q in [0, 1]: a number, or [] or [Q] of x's dtype and device, then the first dimension of the result is Q. Of floating-point x; 16-bit ones are
// computed in f32, as are ranks in x's type. quantile is NaN where a line has a NaN, nanquantile where it has nothing else. Differentiable in x and
// q.
Tensor quantile(const Tensor& x, const Tensor& q, const QuantileOptions& options = {});
Tensor quantile(const Tensor& x, double q, const QuantileOptions& options = {});
Tensor nanquantile(const Tensor& x, const Tensor& q, const QuantileOptions& options = {});
Tensor nanquantile(const Tensor& x, double q, const QuantileOptions& options = {});

// The lower of the two middle values of an even number, with its place: of equal values one of them, which gets the whole gradient. NaN, and the
// place of the first, where a line has one (median), or nothing else (nanmedian). A line without values throws IndexError.
Indexed median(const Tensor& x, int dim, bool keepdim = false);
Indexed nanmedian(const Tensor& x, int dim, bool keepdim = false);
Tensor median(const Tensor& x);  // of all; NaN of none
Tensor nanmedian(const Tensor& x);

}  // namespace tapetum
