#include "core/ops/index.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/autograd/apply.h"
#include "core/capture.h"
#include "core/faults.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"
#include "kernels/index.h"

namespace tapetum {
namespace {

using Slot = kernels::KernelSlot<kernels::IndexArgs>;

Shape without(const Shape& shape, int dim) {
  Shape rest;
  for (int d = 0; d < shape.size(); ++d)
    if (d != dim) rest.push_back(shape[d]);
  return rest;
}

void run(const Slot& slot, const char* op, const Tensor& walked, const Tensor& index, const Tensor& table, int dim) {
  const Shape strides[] = {without(walked.strides(), dim), without(index.strides(), dim), without(table.strides(), dim)};
  kernels::IndexShape s{strided<3>(without(index.shape(), dim), {&strides[0], &strides[1], &strides[2]}, Order::logical),
                        {walked.strides()[dim], index.strides()[dim], table.strides()[dim]},
                        index.size(dim),
                        table.size(dim),
                        table.dtype()};
  unsigned repeated = 0;
  for (int d = 0; d < index.dim(); ++d) repeated |= (index.strides()[d] == 0 ? 1u : 0u) << d;
  FaultReport report(table.device(), {.op = op, .shape = index.shape(), .dim = dim, .limit = table.size(dim), .repeated = repeated});
  launch(slot, table.device(), table.dtype(),
         {s, const_cast<void*>(walked.raw()), static_cast<const int64_t*>(index.raw()), const_cast<void*>(table.raw()), report.place()});
  report.finish();
}

struct IndexOptions {
  int dim;         // wrapped
  const char* op;  // whom errors name
  template <class S, class V> static void fields(S& s, V&& v) { v("dim", s.dim); }
};

struct GatherOp {
  static constexpr OpInfo info{"gather"};
  using Options = IndexOptions;
  static Tensor forward(Context& c, const Options& o, const Tensor& x, const Tensor& index) {
    c.save(index);
    Tensor y = empty(index.shape(), x.dtype(), x.device());
    run(kernels::gather_forward, o.op, y, index, x, o.dim);
    return y;
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    return {gather_backward(gy, o.dim, c.saved(0), c.input_shape(0)), Tensor()};
  }
};

struct GatherBackwardOp {
  static constexpr OpInfo info{"gather_backward"};
  struct Options {
    int dim;  // wrapped
    Shape shape;
    const char* op;
    template <class S, class V> static void fields(S& s, V&& v) {
      v("dim", s.dim);
      v("shape", s.shape);
    }
  };
  static Tensor forward(Context& c, const Options& o, const Tensor& gy, const Tensor& index) {
    c.save(index);
    Tensor gx = zeros(o.shape, gy.dtype(), gy.device());
    run(kernels::scatter_add_forward, o.op, gy, index, gx, o.dim);
    return gx;
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& g) { return {gather(g, o.dim, c.saved(0)), Tensor()}; }
};

struct ScatterOp {
  static constexpr OpInfo info{"scatter"};
  using Options = IndexOptions;
  static Tensor forward(Context& c, const Options& o, const Tensor& x, const Tensor& index, const Tensor& src) {
    c.save(index);
    Tensor y = empty_like(x);
    copy_(y, x);
    run(kernels::scatter_forward, o.op, src, index, y, o.dim);
    return y;
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    const Tensor index = c.saved(0);
    return {scatter(gy, o.dim, index, 0.0), Tensor(), c.needs(2) ? gather(gy, o.dim, index) : Tensor()};
  }
};

Tensor as_index(const char* op, const Tensor& index) {
  if (index.dtype() != DType::i64 && index.dtype() != DType::i32)
    throw DTypeError(fmt::format("{}: expected an index of i64 or i32, got {}", op, name_of(index.dtype())));
  return index.dtype() == DType::i64 ? index : to(index, DType::i64);
}

Tensor shaped(const Tensor& x, const Shape& shape) { return x.shape() == shape ? x : reshape(x, shape); }
Tensor at_least_1d(const Tensor& x) { return x.dim() ? x : reshape(x, {1}); }

// index has as many dimensions as `shape`, and is no larger outside dim.
void check_fits(const char* op, const Tensor& index, const Shape& shape, int dim) {
  bool fits = index.dim() == shape.size();
  for (int d = 0; d < index.dim() && fits; ++d) fits = d == dim || index.size(d) <= shape[d];
  if (!fits)
    throw ShapeError(fmt::format("{}: index {} must have the input's number of dimensions and be no larger outside dimension {}, got input {}", op,
                                 to_string(index.shape()), dim, to_string(shape)));
}

Tensor gather_for(const char* op, const Tensor& x, int dim, const Tensor& index) {
  const int d = wrap_dim(op, dim, std::max(x.dim(), 1));
  const Tensor table = at_least_1d(x), wide = at_least_1d(as_index(op, index));
  check_fits(op, wide, table.shape(), d);
  return shaped(apply<GatherOp>({d, op}, table, wide), index.shape());
}

Tensor gather_backward_for(const char* op, const Tensor& gy, int dim, const Tensor& index, const Shape& shape) {
  const int d = wrap_dim(op, dim, std::max(shape.size(), 1));
  const Tensor wide = at_least_1d(as_index(op, index)), walked = at_least_1d(gy);
  const Shape table = shape.size() ? shape : Shape{1};
  check_fits(op, wide, table, d);
  if (!(walked.shape() == wide.shape()))
    throw ShapeError(fmt::format("{}: values {} and index {} must agree", op, to_string(gy.shape()), to_string(index.shape())));
  return shaped(apply<GatherBackwardOp>({d, table, op}, walked, wide), shape);
}

// The part of src that stands beside index.
Tensor beside(const char* op, const Tensor& src, const Tensor& index) {
  Tensor part = src;
  bool fits = src.dim() == index.dim();
  for (int d = 0; d < index.dim() && fits; ++d) {
    fits = index.size(d) <= src.size(d);
    if (fits && index.size(d) < src.size(d)) part = slice(part, d, 0, index.size(d));
  }
  if (!fits)
    throw ShapeError(
        fmt::format("{}: the values {} must be no smaller than the index {} in any dimension", op, to_string(src.shape()), to_string(index.shape())));
  return part;
}

// index [n] as an index of x's dimensions along dim.
Tensor along(const char* op, const Tensor& index, const Tensor& x, int dim) {
  if (index.dim() > 1) throw ShapeError(fmt::format("{}: expected an index of one dimension, got {}", op, to_string(index.shape())));
  Shape line(x.dim(), 1), wide = x.shape();
  line[dim] = wide[dim] = index.numel();
  return expand(reshape(index, line), wide);
}

Tensor select_for(const char* op, const Tensor& x, int dim, const Tensor& index) {
  const int d = wrap_dim(op, dim, x.dim());
  return gather_for(op, x, d, along(op, as_index(op, index), x, d));
}

// [n, dims]: places of what is not zero in x of that shape. How many they are decides how much memory they need, so the host waits for it.
Tensor places(const Tensor& x, const Shape& shape) {
  refuse_capture("nonzero", "the host has to know how many elements are not zero");
  if (x.device().kind == DeviceKind::meta) throw DeviceError("nonzero: the result's size depends on values, which the meta device has not");
  const Tensor dense = contiguous(x);
  int64_t found = 0;
  kernels::NonzeroArgs args{{x.numel(), shape.size(), {}, x.dtype()}, dense.raw(), &found, nullptr};
  std::copy(shape.begin(), shape.end(), args.shape.size);
  launch(kernels::nonzero_forward, x.device(), x.dtype(), args);
  throw_faults(x.device());
  Tensor y = empty({found, shape.size()}, DType::i64, x.device());
  args.indices = static_cast<int64_t*>(y.mutable_raw());
  launch(kernels::nonzero_forward, x.device(), x.dtype(), args);
  return y;
}

// The greatest index + 1; 0 where there is none.
int64_t span_of(const Tensor& index) { return index.numel() ? static_cast<int64_t>(amax(index).item()) + 1 : 0; }

}  // namespace

Tensor gather(const Tensor& x, int dim, const Tensor& index) { return gather_for("gather", x, dim, index); }

Tensor gather_backward(const Tensor& gy, int dim, const Tensor& index, const Shape& shape) {
  return gather_backward_for("gather_backward", gy, dim, index, shape);
}

Tensor scatter(const Tensor& x, int dim, const Tensor& index, const Tensor& src) {
  check_same("scatter", x, src);
  const int d = wrap_dim("scatter", dim, std::max(x.dim(), 1));
  const Tensor table = at_least_1d(x), wide = at_least_1d(as_index("scatter", index));
  check_fits("scatter", wide, table.shape(), d);
  return shaped(apply<ScatterOp>({d, "scatter"}, table, wide, beside("scatter", at_least_1d(src), wide)), x.shape());
}

Tensor scatter(const Tensor& x, int dim, const Tensor& index, double value) {
  return scatter(x, dim, index, expand(full({}, value, x.dtype(), x.device()), index.shape()));
}

Tensor scatter_add(const Tensor& table, int dim, const Tensor& index, const Tensor& values) {
  const Casting cast(Autocast::widest, table, values);
  const Tensor x = cast(table), src = cast(values);
  check_same("scatter_add", x, src);
  return add(x, gather_backward_for("scatter_add", beside("scatter_add", src, index), dim, index, x.shape()));
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, int dim) {
  const int d = wrap_dim("take_along_dim", dim, x.dim());
  if (index.dim() != x.dim())
    throw ShapeError(fmt::format("take_along_dim: expected an index of {} dimensions, got {}", x.dim(), to_string(index.shape())));
  Shape table = x.shape(), wide = index.shape();
  table[d] = wide[d] = 1;
  table = wide = broadcast("take_along_dim", table, wide);
  table[d] = x.shape()[d];
  wide[d] = index.shape()[d];
  return gather_for("take_along_dim", expand(x, table), d, expand(index, wide));
}

Tensor index_select(const Tensor& x, int dim, const Tensor& index) { return select_for("index_select", x, dim, index); }

Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& src) {
  check_same("index_add", x, src);
  const int d = wrap_dim("index_add", dim, x.dim());
  return add(x, gather_backward_for("index_add", src, d, along("index_add", as_index("index_add", index), x, d), x.shape()));
}

Tensor nonzero(const Tensor& x) { return places(x, x.shape()); }

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  if (mask.dtype() != DType::boolean) throw DTypeError(fmt::format("masked_select: expected a bool mask, got {}", name_of(mask.dtype())));
  const Shape shape = broadcast("masked_select", x.shape(), mask.shape());
  const Tensor at = places(expand(mask, shape), {shape.numel()});
  return gather_for("masked_select", reshape(expand(x, shape), {-1}), 0, reshape(at, {-1}));
}

Tensor one_hot(const Tensor& index, int64_t classes) {
  const Tensor i = as_index("one_hot", index);
  Shape shape = i.shape(), line = i.shape();
  shape.push_back(classes < 0 ? span_of(i) : classes);
  line.push_back(1);
  Tensor y = zeros(shape, DType::i64, i.device());
  run(kernels::scatter_forward, "one_hot", expand(full({}, 1, DType::i64, i.device()), line), reshape(i.detach(), line), y, y.dim() - 1);
  return y;
}

Tensor bincount(const Tensor& x, const Tensor& weights, int64_t minlength) {
  if (x.dim() != 1) throw ShapeError(fmt::format("bincount: expected one dimension, got {}", to_string(x.shape())));
  const Tensor i = as_index("bincount", x), w = weights.defined() ? weights : full(x.shape(), 1, DType::i64, x.device());
  return gather_backward_for("bincount", w, 0, i, {std::max(span_of(i), minlength)});
}

Tensor embedding(const Tensor& index, const Tensor& weight, const EmbeddingOptions& o) {
  if (weight.dim() != 2) throw ShapeError(fmt::format("embedding: expected a weight [V, D], got {}", to_string(weight.shape())));
  if (o.padding_idx >= weight.size(0))
    throw IndexError(fmt::format("embedding: padding_idx {} is out of range for size {}", o.padding_idx, weight.size(0)));
  Shape shape = index.shape();
  shape.push_back(weight.size(1));
  const Tensor rows = reshape(select_for("embedding", weight, 0, reshape(index, {-1})), shape);
  if (o.padding_idx < 0) return rows;
  shape[shape.size() - 1] = 1;
  return where(reshape(index == o.padding_idx, shape), rows.detach(), rows);  // no gradient through the padding's rows
}

}  // namespace tapetum
