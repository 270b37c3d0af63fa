// Images read at places that a grid names, y[n, c, p, q] = x[n, c] at (grid[n, p, q, 1], grid[n, p, q, 0]), and the two parts of its gradient.
// Coordinates go from -1 to 1; formulas in kernels/grid_taps.h. x [N, C, H, W] and y [N, C, P, Q] of any strides, grid [N, P, Q, 2] dense.
#pragma once
#include "kernels/grid_mode.h"
#include "kernels/slot.h"

namespace tapetum::kernels {

struct GridSampleShape {
  int64_t n, c, h, w, p, q;
  int64_t x_stride[4], y_stride[4];  // elements
  GridSampleMode mode;
  GridSamplePadding padding;
  int64_t align_corners;  // whether -1 and 1 are the centres of the border's pixels, else its edges
  DType dtype;            // of all
};
static_assert(is_key<GridSampleShape>);

struct GridSampleArgs {
  GridSampleShape shape;
  const void* grid;
  void *x, *y;
  void* grad_grid;  // [N, P, Q, 2] dense
};

extern const KernelSlot<GridSampleArgs> grid_sample_forward;     // y from x
extern const KernelSlot<GridSampleArgs> grid_sample_grad_input;  // x, its gradient, from y's: the adjoint of forward; all of x is written
extern const KernelSlot<GridSampleArgs> grid_sample_grad_grid;   // grad_grid from x and the gradient of y

}  // namespace tapetum::kernels
