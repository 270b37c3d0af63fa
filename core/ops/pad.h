// Rows and columns added around a tensor, or cut off.
#pragma once
#include "core/tensor.h"

namespace tapetum {

// constant fills with `value`; reflect mirrors without repeating the border (cba|bcd), replicate repeats it.
enum class PadMode : int64_t { constant, reflect, replicate };
const char* name_of(PadMode mode);

struct PadOptions {
  PadMode mode = PadMode::constant;
  double value = 0;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("mode", s.mode);
    v("value", s.value);
  }
};

// pads: two numbers (before, after) for each dimension, the last dimension first: {left, right, top, bottom, ...}; a negative one cuts.
// constant pads any of up to four last dimensions; reflect and replicate the last two of floating-point [C, H, W] or [N, C, H, W].
// Throws ShapeError when nothing would be left, or reflect would need more rows than there are.
Tensor pad(const Tensor& x, const Shape& pads, const PadOptions& options = {});

}  // namespace tapetum
