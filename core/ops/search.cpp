#include "core/ops/search.h"

#include <fmt/core.h>

#include "core/ops/creation.h"
#include "core/ops/index.h"
#include "core/ops/launch.h"
#include "core/ops/view.h"
#include "kernels/search.h"

namespace tapetum {
namespace {

Tensor search(const char* op, const Tensor& sorted, const Tensor& values, bool right) {
  check_same(op, sorted, values);
  bool fits = sorted.dim() == 1 || (sorted.dim() > 1 && sorted.dim() == values.dim());
  for (int d = 0; d + 1 < sorted.dim() && fits; ++d) fits = sorted.size(d) == values.size(d);
  if (!fits)
    throw ShapeError(fmt::format("{}: expected sorted values [L], or [..., L] beside values [..., V], got {} and {}", op, to_string(sorted.shape()),
                                 to_string(values.shape())));
  const Tensor table = contiguous(sorted.detach()), wanted = contiguous(values.detach());
  Tensor y = empty(values.shape(), DType::i64, values.device());
  if (y.numel() == 0) return y;
  const int64_t each = values.dim() ? values.size(-1) : 1;
  launch(kernels::search_sorted, values.device(), values.dtype(),
         {{y.numel() / each, sorted.size(-1), each, sorted.dim() == 1, right, values.dtype()},
          table.raw(),
          wanted.raw(),
          static_cast<int64_t*>(y.mutable_raw())});
  return y;
}

}  // namespace

Tensor searchsorted(const Tensor& sorted, const Tensor& values, const SearchOptions& o) {
  if (!o.sorter.defined()) return search("searchsorted", sorted, values, o.right);
  if (!(o.sorter.shape() == sorted.shape()))
    throw ShapeError(fmt::format("searchsorted: the sorter must have the shape {}, got {}", to_string(sorted.shape()), to_string(o.sorter.shape())));
  return search("searchsorted", gather(sorted.detach(), -1, o.sorter), values, o.right);
}

Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right) {
  if (boundaries.dim() != 1) throw ShapeError(fmt::format("bucketize: expected boundaries [L], got {}", to_string(boundaries.shape())));
  return search("bucketize", boundaries, x, right);
}

}  // namespace tapetum
