// Max pooling over windows of a plane, and the two linear maps of its gradient. x [N, C, H, W], y and index [N, C, P, Q], any strides.
#pragma once
#include "kernels/round.h"
#include "kernels/slot.h"

namespace tapetum::kernels {

// The windows of one dimension: output p covers begin(p), begin(p) + dilation, ... below end(p), all inside the input.
// (Always inlined: a copy shared by the linker would carry one unit's instruction set.)
struct PoolAxis {
  int64_t in, out;
  int64_t size;  // 0: adaptive, the windows share the input evenly and may overlap by one
  int64_t stride, padding, dilation;

  [[gnu::always_inline]] constexpr int64_t begin(int64_t p) const {
    if (size == 0) return p * in / out;
    const int64_t at = p * stride - padding;
    return at >= 0 ? at : at + (dilation - 1 - at) / dilation * dilation;
  }
  [[gnu::always_inline]] constexpr int64_t end(int64_t p) const {
    if (size == 0) return ceil_div((p + 1) * in, out);
    const int64_t past = p * stride - padding + (size - 1) * dilation + 1;
    return past < in ? past : in;
  }
  // The outputs whose windows can hold input i.
  [[gnu::always_inline]] constexpr int64_t first_output(int64_t i) const {
    if (size == 0) return i * out / in;
    const int64_t reach = i + padding - (size - 1) * dilation;
    return reach > 0 ? ceil_div(reach, stride) : 0;
  }
  [[gnu::always_inline]] constexpr int64_t last_output(int64_t i) const {
    if (size == 0) return ceil_div((i + 1) * out, in) - 1;
    const int64_t last = (i + padding) / stride;
    return last < out ? last : out - 1;
  }
};

struct MaxPool2dShape {
  int64_t n, c;
  PoolAxis h, w;
  int64_t x_stride[4], y_stride[4], index_stride[4];  // elements
  DType dtype;                                        // of x and y
};
static_assert(is_key<MaxPool2dShape>);

// Where the window of (p, q) begins, as h * W + w: the place of a maximum of which nothing is greater. -1 for a window wholly in the padding,
// which steps of a dilation can pass over; no gradient comes through it.
[[gnu::always_inline]] constexpr int64_t first_place(const MaxPool2dShape& z, int64_t p, int64_t q) {
  const int64_t h = z.h.begin(p), w = z.w.begin(q);
  return h < z.h.end(p) && w < z.w.end(q) ? h * z.w.in + w : -1;
}

struct MaxPool2dArgs {
  MaxPool2dShape shape;
  void *x, *y;
  int32_t* index;  // h * W + w of the greatest element, -1 for none
};

extern const KernelSlot<MaxPool2dArgs> max_pool2d_forward;  // y and index from x: the first of equals; a NaN wins
extern const KernelSlot<MaxPool2dArgs> max_pool2d_gather;   // y from x and index
extern const KernelSlot<MaxPool2dArgs> max_pool2d_scatter;  // x from y and index: sums where windows chose the same element, 0 elsewhere

}  // namespace tapetum::kernels
