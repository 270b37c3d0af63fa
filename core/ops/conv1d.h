// Convolution along one dimension and its transpose: conv2d's over images of one row (core/ops/conv.h), with the same rules and dtypes.
#pragma once
#include "core/size2.h"
#include "core/tensor.h"

namespace tapetum {

struct Conv1dOptions {
  int64_t stride = 1;
  Padding padding = 0;  // a number, "valid" or "same"
  int64_t dilation = 1, groups = 1;
};

// x [N, C, L] or [C, L], w [K, C/groups, S], b [K] or undefined -> [N, K, P] or [K, P], P = (L + 2 padding - dilation (S - 1) - 1) / stride + 1
Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b, const Conv1dOptions& options = {});
inline Tensor conv1d(const Tensor& x, const Tensor& w, const Conv1dOptions& options = {}) { return conv1d(x, w, Tensor(), options); }

struct ConvTranspose1dOptions {
  int64_t stride = 1, padding = 0, output_padding = 0, dilation = 1, groups = 1;
};

// x [N, C, L] or [C, L], w [C, K/groups, S], b [K] or undefined -> [N, K, P] or [K, P],
// P = (L - 1) stride - 2 padding + dilation (S - 1) + output_padding + 1
Tensor conv_transpose1d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose1dOptions& options = {});
inline Tensor conv_transpose1d(const Tensor& x, const Tensor& w, const ConvTranspose1dOptions& options = {}) {
  return conv_transpose1d(x, w, Tensor(), options);
}

}  // namespace tapetum
