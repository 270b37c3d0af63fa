// Images read at places of a grid, in coordinates (x, y) that go from -1 to 1 across its width and its height.
#pragma once
#include "core/tensor.h"
#include "kernels/grid_mode.h"

namespace tapetum {

// theta [N, 2, 3] of (x, y, 1) -> [N, H, W, 2] for size {N, C, H, W}: where each output pixel is read. align_corners: -1 and 1 are the centres of
// the pixels at the border, else the image's edges.
Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners = false);

struct GridSampleOptions {
  GridSampleMode mode = GridSampleMode::bilinear;             // bicubic: Keys' kernel with a = -0.75
  GridSamplePadding padding_mode = GridSamplePadding::zeros;  // beside the image: zeros, the border's pixel, or the image mirrored
  bool align_corners = false;                                 // as affine_grid
  template <class S, class V> static void fields(S& s, V&& v) {
    v("mode", s.mode);
    v("padding_mode", s.padding_mode);
    v("align_corners", s.align_corners);
  }
};

// x [N, C, H, W], grid [N, P, Q, 2] of (x, y) -> [N, C, P, Q], as torch's F.grid_sample; H, W > 0. NaN in the grid counts as -1. nearest has no
// gradient of the grid. The result is channels_last by the rule of core/ops/layout.h. Gradients of x are summed in the grid's order: the same bits on
// every run.
Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& options = {});

}  // namespace tapetum
