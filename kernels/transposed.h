// A copy of which each side is dense along another dimension is a batch of transposes, as of a matrix or between an image's two formats.
// (Always inlined: a copy shared by the linker would carry one unit's instruction set.)
#pragma once
#include "kernels/elementwise.h"
#include "kernels/strided.h"

namespace tapetum::kernels {

// Each plane has `rows` rows of x with `columns` dense elements each, which become the columns of y.
struct Transposes {
  int64_t rows = 0, columns = 0;          // 0: the copy is something else
  int64_t x_stride = 0, y_stride = 0;     // from row to row of either
  int64_t planes = 0;                     // how many
  StridedShape<1 + kMaxInputs> of_plane;  // where they begin: the shape with one row and one column

  [[gnu::always_inline]] explicit Transposes(const ElementwiseArgs& a) : of_plane(a.shape) {
    int64_t x = -1, y = -1;  // the dimensions along which they are dense
    for (int64_t d = 0; d < a.shape.ndim; ++d) {
      if (a.shape.stride[1][d] == 1) x = d;
      if (a.shape.stride[0][d] == 1) y = d;
    }
    if (x < 0 || y < 0 || x == y || a.dtype[0] != a.dtype[1] || a.shape.count == 0) return;
    rows = a.shape.size[y];
    columns = a.shape.size[x];
    x_stride = a.shape.stride[1][y];
    y_stride = a.shape.stride[0][x];
    planes = a.shape.count / (rows * columns);
    of_plane.size[x] = of_plane.size[y] = 1;
  }

  // Below this side most lanes would be empty.
  [[gnu::always_inline]] bool worthwhile() const { return rows >= 8 && columns >= 8; }
};

}  // namespace tapetum::kernels
