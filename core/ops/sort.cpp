#include "core/ops/sort.h"

#include <fmt/core.h>

#include "core/autograd/apply.h"
#include "core/ops/index.h"
#include "core/ops/launch.h"
#include "core/ops/lines.h"
#include "core/ops/view.h"
#include "kernels/sort.h"

namespace tapetum {
namespace {

struct TopkOp {
  static constexpr OpInfo info{"topk"};
  using Outputs = std::array<Tensor, 2>;  // values, indices
  struct Options {
    int dim;  // wrapped
    int64_t k;
    bool descending;
    template <class S, class V> static void fields(S& s, V&& v) {
      v("dim", s.dim);
      v("k", s.k);
      v("descending", s.descending);
    }
  };
  static Outputs forward(Context& c, const Options& o, const Tensor& x) {
    const Tensor dense = contiguous(x);
    Shape shape = x.shape();
    shape[o.dim] = o.k;
    Tensor values = empty(shape, x.dtype(), x.device()), indices = empty(shape, DType::i64, x.device());
    launch(kernels::topk_forward, x.device(), x.dtype(),
           {line_shape(dense, o.dim), o.k, o.descending, dense.raw(), values.mutable_raw(), static_cast<int64_t*>(indices.mutable_raw())});
    c.save_output(1);
    return {values, indices};
  }
  static Gradients backward(const Context& c, const Options& o, const Outputs& gy) {
    return {gy[0].defined() ? gather_backward(gy[0], o.dim, c.saved(0), c.input_shape(0)) : Tensor()};
  }
};

Indexed first_of(const char* op, const Tensor& x, int64_t k, int dim, bool descending) {
  const int d = wrap_dim(op, dim, x.dim() ? x.dim() : 1);
  const int64_t n = x.dim() ? x.shape()[d] : 1;
  if (k < 0 || k > n) throw IndexError(fmt::format("{}: k {} is out of range for size {} of dimension {}", op, k, n, d));
  if (x.dim()) {
    const auto y = apply<TopkOp>({d, k, descending}, x);
    return {y[0], y[1]};
  }
  const auto y = apply<TopkOp>({d, k, descending}, reshape(x, {1}));
  return k ? Indexed{reshape(y[0], {}), reshape(y[1], {})} : Indexed{y[0], y[1]};
}

}  // namespace

Indexed sort(const Tensor& x, int dim, const SortOptions& o) {
  const int d = wrap_dim("sort", dim, x.dim() ? x.dim() : 1);
  return first_of("sort", x, x.dim() ? x.shape()[d] : 1, d, o.descending);
}

Tensor argsort(const Tensor& x, int dim, const SortOptions& o) { return sort(x.detach(), dim, o).indices; }

Indexed topk(const Tensor& x, int64_t k, int dim, const TopkOptions& o) { return first_of("topk", x, k, dim, o.largest); }

}  // namespace tapetum
