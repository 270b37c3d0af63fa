// Pooling over windows of the last two dimensions. x [N, C, H, W] or [C, H, W]; the result is channels_last when x is (core/ops/layout.h).
#pragma once
#include "core/ops/indexed.h"
#include "core/size2.h"

namespace tapetum {

struct MaxPool2dOptions {
  Size2 stride = 0;  // 0: kernel_size
  Size2 padding = 0, dilation = 1;
  bool ceil_mode = false;  // a last window may hang over the border, if it begins inside
};

// The greatest element of each window, P = (H + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1; padding counts as -infinity, a NaN wins.
// Throws ShapeError unless padding is at most half of the (dilated) kernel and a window fits.
Tensor max_pool2d(const Tensor& x, Size2 kernel_size, const MaxPool2dOptions& options = {});
// The same, and the place h * W + w of each maximum (the first of equals).
Indexed max_pool2d_with_indices(const Tensor& x, Size2 kernel_size, const MaxPool2dOptions& options = {});

// Splits H x W into P x Q windows from floor(p H / P) up to ceil((p + 1) H / P), which overlap where P does not divide H.
Tensor adaptive_max_pool2d(const Tensor& x, Size2 size);
Indexed adaptive_max_pool2d_with_indices(const Tensor& x, Size2 size);

struct AvgPool2dOptions {
  Size2 stride = 0;  // 0: kernel_size
  Size2 padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;  // padding counts as zeros, else the mean is over what lies inside
  int64_t divisor_override = 0;   // > 0: divides the sum by this instead
};

Tensor avg_pool2d(const Tensor& x, Size2 kernel_size,
                  const AvgPool2dOptions& options = {});  // the mean of each window; sizes and errors as max_pool2d
Tensor adaptive_avg_pool2d(const Tensor& x, Size2 size);  // windows as adaptive_max_pool2d

}  // namespace tapetum
