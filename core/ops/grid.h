// Grids of places in an image, in coordinates (x, y) that go from -1 to 1 across its width and its height.
#pragma once
#include "core/tensor.h"

namespace tapetum {

// theta [N, 2, 3] of (x, y, 1) -> [N, H, W, 2] for size {N, C, H, W}: where each output pixel is read. align_corners: -1 and 1 are the centres of
// the pixels at the border, else the image's edges.
Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners = false);

}  // namespace tapetum
