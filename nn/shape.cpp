#include "nn/shape.h"

#include "core/ops/view.h"

namespace tapetum::nn {

Tensor Flatten::forward(const Tensor& x) {
  const int first = wrap_dim("Flatten", options.start_dim, x.dim()), last = wrap_dim("Flatten", options.end_dim, x.dim());
  Shape shape;
  int64_t merged = 1;
  for (int d = 0; d < x.dim(); ++d) {
    if (d < first || d > last) shape.push_back(x.size(d));
    if (d >= first && d <= last) merged *= x.size(d);
    if (d == last) shape.push_back(merged);
  }
  return reshape(x, shape);
}

}  // namespace tapetum::nn
