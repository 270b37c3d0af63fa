// A dense tensor seen as lines along one dimension: element i of line (o, j) is at (o length + i) inner + j.
#pragma once
#include "kernels/types.h"

namespace tapetum::kernels {

struct LineShape {
  int64_t outer, length, inner;
  DType dtype;
};
static_assert(is_key<LineShape>);

}  // namespace tapetum::kernels
