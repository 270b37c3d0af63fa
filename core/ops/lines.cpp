#include "core/ops/lines.h"

#include "core/ops/launch.h"
#include "core/ops/view.h"

namespace tapetum {

Tensor dense_lines(const Tensor& x) { return x.strides() == dense_strides_like(x) ? x : contiguous(x); }

Tensor with_strides_of(const Tensor& x, const Tensor& like) {
  if (x.strides() == like.strides()) return x;
  Tensor y = empty_strided(like.shape(), like.strides(), x.dtype(), x.device());
  copy_(y, x);
  return y;
}

// What is denser than the lines' own dimension lies within, so its stride is their distance.
kernels::LineShape line_shape(const Tensor& dense, int dim) {
  const int64_t length = dense.size(dim), inner = dense.numel() ? dense.strides()[dim] : 1;
  return {dense.numel() ? dense.numel() / (length * inner) : 0, length, inner, dense.dtype()};
}

}  // namespace tapetum
