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

// Index tensors at some dimensions of x, the others whole: rows of a matrix [indexed places, rest], taken by one linear index.
Tensor gather_places(const Tensor& x, const std::vector<Tensor>& tensors) {
  Shape order, places, indexed, rest;
  int first = -1, last = -1;
  for (int d = 0; d < static_cast<int>(tensors.size()); ++d) {
    if (!tensors[static_cast<size_t>(d)].defined()) continue;
    first = first < 0 ? d : first;
    last = d;
    order.push_back(d);
    indexed.push_back(x.size(d));
    places = order.size() == 1 ? tensors[static_cast<size_t>(d)].shape() : broadcast("index", places, tensors[static_cast<size_t>(d)].shape());
  }
  const int count = order.size();
  for (int d = 0; d < x.dim(); ++d)
    if (d >= static_cast<int>(tensors.size()) || !tensors[static_cast<size_t>(d)].defined()) {
      order.push_back(d);
      rest.push_back(x.size(d));
    }
  const FaultContext named("index: ");
  Tensor linear = zeros(places, DType::i64, x.device());
  for (int i = 0; i < count; ++i) {
    const Tensor& t = tensors[static_cast<size_t>(order[i])];
    const int64_t n = indexed[i];
    const Tensor wrapped = where(t < 0, t + n, t);
    if (count > 1) check_range(wrapped, n);
    linear = linear * n + wrapped;
  }
  Shape matrix{indexed.numel()}, result = places;
  for (int64_t n : rest) {
    matrix.push_back(n);
    result.push_back(n);
  }
  Tensor y = reshape(index_select(reshape(permute(x, order), matrix), 0, reshape(linear, {-1})), result);
  if (last - first + 1 != count || first == 0) return y;
  Shape back;  // neighbouring index tensors: their shape stands where they stood
  for (int d = 0; d < first; ++d) back.push_back(places.size() + d);
  for (int d = 0; d < places.size(); ++d) back.push_back(d);
  for (int d = first; d < rest.size(); ++d) back.push_back(places.size() + d);
  return permute(y, back);
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

}  // namespace tapetum
