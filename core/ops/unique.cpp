#include "core/ops/unique.h"

#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/index.h"
#include "core/ops/reduce.h"
#include "core/ops/sort.h"
#include "core/ops/view.h"

namespace tapetum {

Unique unique(const Tensor& x, const UniqueOptions& o) {
  const Tensor flat = reshape(x.detach(), {-1});
  const int64_t n = flat.numel();
  if (n == 0) {
    const Tensor none = zeros({0}, DType::i64, x.device());
    return {flat, o.return_inverse ? reshape(none, x.shape()) : Tensor(), o.return_counts ? none : Tensor()};
  }
  const Indexed sorted = sort(flat, 0);
  const Tensor differs = ne(slice(sorted.values, 0, 1, n), slice(sorted.values, 0, 0, n - 1));
  const Tensor first = cat({full({1}, 1, DType::boolean, x.device()), differs});
  const Tensor starts = reshape(nonzero(first), {-1});
  Unique y{index_select(sorted.values, 0, starts), {}, {}};
  if (o.return_inverse) {
    const Tensor group = cumsum(to(first, DType::i64), 0) - 1;
    y.inverse = reshape(scatter(zeros({n}, DType::i64, x.device()), 0, sorted.indices, group), x.shape());
  }
  if (o.return_counts) y.counts = cat({slice(starts, 0, 1, starts.numel()), full({1}, static_cast<double>(n), DType::i64, x.device())}) - starts;
  return y;
}

}  // namespace tapetum
