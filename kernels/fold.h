// Windows of images as columns and back (im2col, col2im), adjoints of each other. image [N, C, H, W] and columns [N, C R S, P Q], both dense.
#pragma once
#include "kernels/slot.h"

namespace tapetum::kernels {

// The windows of one dimension: tap r of output p reads p stride - padding + r dilation, zero where that is not in [0, in).
struct FoldAxis {
  int64_t in, out, size, stride, padding, dilation;
};

struct FoldShape {
  int64_t n, c;
  FoldAxis h, w;
  DType dtype;
};
static_assert(is_key<FoldShape>);

struct FoldArgs {
  FoldShape shape;
  void *image, *columns;
};

extern const KernelSlot<FoldArgs> unfold_forward;  // columns from image
extern const KernelSlot<FoldArgs> fold_forward;    // image from columns: the sum of all that stand for a pixel, in ascending order of tap

}  // namespace tapetum::kernels
