// Windows of images as columns, and the sum of columns back into images: adjoints of each other.
#pragma once
#include "core/size2.h"
#include "core/tensor.h"

namespace tapetum {

struct FoldOptions {
  Size2 dilation = 1, padding = 0, stride = 1;
};

// x [N, C, H, W] or [C, H, W], floating-point -> [N, C R S, P Q] or [C R S, P Q]: column (p, q) is the window of size R x S at (p, q), zeros outside
// of the image, with P = (H + 2 padding - dilation (R - 1) - 1) / stride + 1. Throws ShapeError where no window fits.
Tensor unfold(const Tensor& x, Size2 kernel_size, const FoldOptions& options = {});
// x [N, C R S, P Q] or [C R S, P Q], P and Q as unfold gives for images of output_size {H, W} -> [N, C, H, W] or [C, H, W]
Tensor fold(const Tensor& x, Size2 output_size, Size2 kernel_size, const FoldOptions& options = {});

}  // namespace tapetum
