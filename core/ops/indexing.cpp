#include "core/ops/indexing.h"

#include <fmt/core.h>

#include <vector>

#include "core/error.h"
#include "core/faults.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/index.h"
#include "core/ops/launch.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

// How many dimensions of x an index takes.
int taken(const Index& i) {
  if (i.kind == Index::Kind::none || i.kind == Index::Kind::ellipsis) return 0;
  return i.kind == Index::Kind::tensor && i.tensor.dtype() == DType::boolean ? i.tensor.dim() : 1;
}

// A mask over k dimensions is k index tensors.
void append(std::vector<Tensor>& tensors, const Index& i, const Tensor& y, int dim) {
  if (i.tensor.dtype() != DType::boolean) {
    if (i.tensor.dtype() != DType::i64) throw DTypeError(fmt::format("index: expected i64 or bool, got {}", name_of(i.tensor.dtype())));
    tensors.resize(static_cast<size_t>(dim) + 1);
    tensors[static_cast<size_t>(dim)] = i.tensor;
    return;
  }
  for (int d = 0; d < i.tensor.dim(); ++d)
    if (dim + d >= y.dim() || y.size(dim + d) != i.tensor.size(d))
      throw ShapeError(fmt::format("index: mask {} does not fit {} at dimension {}", to_string(i.tensor.shape()), to_string(y.shape()), dim));
  const Tensor places = nonzero(i.tensor);
  tensors.resize(static_cast<size_t>(dim + i.tensor.dim()));
  for (int d = 0; d < i.tensor.dim(); ++d) tensors[static_cast<size_t>(dim + d)] = select(places, 1, d);
}

// Throws, or has the device report, what is not in [0, n): as part of a linear index it could be mistaken for another place.
void check_range(const Tensor& index, int64_t n) {
  const Tensor nothing = expand(zeros({1}, DType::u8, index.device()), {n});
  gather(nothing, 0, reshape(to(index, DType::i64), {-1}));
}

// Index tensors at some dimensions of x, the others whole: x as a matrix [indexed places, rest], whose rows one linear index names.
struct Places {
  Tensor linear;       // of the index tensors' common shape
  Shape order;         // of x's dimensions: the indexed ones first
  Shape matrix, rest;  // [all indexed, rest...], [rest...]
  Shape result;        // of x(indices...)
  Shape to_result;     // from [places..., rest...]; empty: as it is
  const Shape& places() const { return linear.shape(); }
  int64_t rows() const { return linear.numel(); }
};

// Neighbouring index tensors: their shape stands where they stood.
Shape order_of_result(int first, int last, int count, int places, int rest) {
  Shape back;
  if (last - first + 1 != count || first == 0) return back;
  for (int d = 0; d < first; ++d) back.push_back(places + d);
  for (int d = 0; d < places; ++d) back.push_back(d);
  for (int d = first; d < rest; ++d) back.push_back(places + d);
  return back;
}

Places places_of(const Tensor& x, const std::vector<Tensor>& tensors) {
  Places p;
  Shape shape, indexed;
  int first = -1, last = -1;
  for (int d = 0; d < static_cast<int>(tensors.size()); ++d) {
    const Tensor& t = tensors[static_cast<size_t>(d)];
    if (!t.defined()) continue;
    first = first < 0 ? d : first;
    last = d;
    p.order.push_back(d);
    indexed.push_back(x.size(d));
    shape = p.order.size() == 1 ? t.shape() : broadcast("index", shape, t.shape());
  }
  const int count = p.order.size();
  for (int d = 0; d < x.dim(); ++d)
    if (d >= static_cast<int>(tensors.size()) || !tensors[static_cast<size_t>(d)].defined()) {
      p.order.push_back(d);
      p.rest.push_back(x.size(d));
    }
  const FaultContext named("index: ");
  p.linear = zeros(shape, DType::i64, x.device());
  for (int i = 0; i < count; ++i) {
    const Tensor& t = tensors[static_cast<size_t>(p.order[i])];
    const int64_t n = indexed[i];
    const Tensor wrapped = where(t < 0, t + n, t);
    if (count > 1) check_range(wrapped, n);
    p.linear = p.linear * n + wrapped;
  }
  p.matrix = {indexed.numel()};
  for (int64_t n : p.rest) p.matrix.push_back(n);
  p.to_result = order_of_result(first, last, count, shape.size(), p.rest.size());
  Shape together = shape;
  for (int64_t n : p.rest) together.push_back(n);
  for (int d = 0; d < together.size(); ++d) p.result.push_back(together[p.to_result.size() ? static_cast<int>(p.to_result[d]) : d]);
  return p;
}

// a, then b
Shape joined(const Shape& a, const Shape& b) {
  Shape all = a;
  for (int64_t n : b) all.push_back(n);
  return all;
}

Shape inverse(const Shape& order) {
  Shape back(order.size());
  for (int d = 0; d < order.size(); ++d) back[static_cast<int>(order[d])] = d;
  return back;
}

Tensor matrix_of(const Tensor& x, const Places& p) { return reshape(permute(x, p.order), p.matrix); }

Tensor gather_places(const Tensor& x, const std::vector<Tensor>& tensors) {
  const Places p = places_of(x, tensors);
  const FaultContext named("index: ");
  const Tensor y = reshape(index_select(matrix_of(x, p), 0, reshape(p.linear, {-1})), joined(p.places(), p.rest));
  return p.to_result.size() ? permute(y, p.to_result) : y;
}

Tensor put_places(const Tensor& x, const Places& p, const Tensor& values, bool accumulate) {
  if (!(broadcast("index_put", values.shape(), p.result) == p.result))
    throw ShapeError(fmt::format("index_put: values {} do not broadcast to {}", to_string(values.shape()), to_string(p.result)));
  const Tensor wide = expand(values, p.result), ordered = p.to_result.size() ? permute(wide, inverse(p.to_result)) : wide;
  const Tensor rows = reshape(ordered, joined({p.rows()}, p.rest)), before = matrix_of(x, p), index = reshape(p.linear, {-1});
  const FaultContext named("index_put: ");
  Shape line(rows.dim(), 1);
  line[0] = p.rows();
  const Tensor after = accumulate ? index_add(before, 0, index, rows) : scatter(before, 0, expand(reshape(index, line), rows.shape()), rows);
  Shape ordered_x;
  for (int64_t d : p.order) ordered_x.push_back(x.size(static_cast<int>(d)));
  return permute(reshape(after, ordered_x), inverse(p.order));
}

}  // namespace

Tensor index(const Tensor& x, const Index* indices, int count) {
  int needed = 0, gaps = 0;
  for (int i = 0; i < count; ++i) {
    needed += taken(indices[i]);
    gaps += indices[i].kind == Index::Kind::ellipsis;
  }
  if (needed > x.dim() || gaps > 1)
    throw ShapeError(
        fmt::format("index: {} indices{} for {} with {} dimensions", needed, gaps > 1 ? " and several ellipses" : "", to_string(x.shape()), x.dim()));
  Tensor y = x;
  std::vector<Tensor> tensors;
  int dim = 0;
  for (int i = 0; i < count; ++i) {
    const Index& at = indices[i];
    switch (at.kind) {
      case Index::Kind::number:
        y = select(y, dim, at.range.start);
        break;
      case Index::Kind::slice:
        y = slice(y, dim++, at.range.start, at.range.end, at.range.step);
        break;
      case Index::Kind::ellipsis:
        dim += x.dim() - needed;
        break;
      case Index::Kind::none:
        y = unsqueeze(y, dim++);
        break;
      case Index::Kind::tensor:
        append(tensors, at, y, dim);
        dim += taken(at);
        break;
    }
  }
  return tensors.empty() ? y : gather_places(y, tensors);
}

Tensor index_put(const Tensor& x, TensorList indices, const Tensor& values, bool accumulate) {
  check_same("index_put", x, values);
  std::vector<Tensor> tensors;
  int dim = 0;
  for (const Tensor& t : indices) {
    if (t.defined()) append(tensors, Index(t), x, dim);
    dim += t.defined() ? taken(Index(t)) : 1;
  }
  if (dim > x.dim()) throw ShapeError(fmt::format("index_put: {} indices for {} with {} dimensions", dim, to_string(x.shape()), x.dim()));
  if (tensors.empty()) throw ShapeError("index_put: expected at least one index tensor");
  return put_places(x, places_of(x, tensors), values, accumulate);
}

void index_put_(Tensor& x, TensorList indices, const Tensor& values, bool accumulate) {
  copy_(x, index_put(x.detach(), indices, values, accumulate));
}

}  // namespace tapetum
