// The part of view.h that copies.
#include <fmt/core.h>

#include <utility>

#include "core/autograd/apply.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/layout.h"
#include "core/ops/pointwise.h"
#include "core/ops/promotion.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

void copy_elements(Tensor& y, const Tensor& x) { pointwise_into(kernels::copy_forward, y, {x}, promote(x.dtype(), y.dtype())); }

struct CatOp {
  static constexpr OpInfo info{"cat", Autocast::widest};
  struct Options {
    int dim;  // wrapped
    template <class S, class V> static void fields(S& s, V&& v) { v("dim", s.dim); }
  };
  static Tensor forward(Context&, const Options& o, TensorList xs) {
    Shape shape = xs[0].shape();
    shape[o.dim] = 0;
    for (const Tensor& x : xs) shape[o.dim] += x.size(o.dim);
    Tensor y = shape.size() == 4 ? empty_image(shape, promote(xs), xs[0].device(), xs) : empty(shape, promote(xs), xs[0].device());
    int64_t start = 0;
    for (const Tensor& x : xs) {
      const int64_t end = start + x.size(o.dim);
      Tensor part = slice(y, o.dim, std::exchange(start, end), end);
      copy_elements(part, x);
    }
    return y;
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    Gradients gs;
    int64_t start = 0;
    for (size_t i = 0; i < c.input_count(); ++i) {
      const int64_t end = start + c.input_shape(i)[o.dim];
      gs.push_back(c.needs(i) ? slice(gy, o.dim, start, end) : Tensor());
      start = end;
    }
    return gs;
  }
};

struct CloneOp {
  static constexpr OpInfo info{"clone"};
  using Options = NoOptions;
  static Tensor forward(Context&, const Options&, const Tensor& x) {
    Tensor y = empty_like(x);
    copy_elements(y, x);
    return y;
  }
  static Gradients backward(const Context&, const Options&, const Tensor& gy) { return {gy}; }
};

struct FlipOp {
  static constexpr OpInfo info{"flip"};
  struct Options {
    Shape dims;  // wrapped
    template <class S, class V> static void fields(S& s, V&& v) { v("dims", s.dims); }
  };
  static Tensor forward(Context&, const Options& o, const Tensor& x) {
    Shape strides = x.strides();
    int64_t offset = x.impl().offset;
    for (int64_t d : o.dims) {
      offset += (x.size(static_cast<int>(d)) - 1) * strides[static_cast<int>(d)];
      strides[static_cast<int>(d)] *= -1;
    }
    Tensor y = empty_strided(x.shape(), dense_strides_like(x), x.dtype(), x.device());
    if (x.numel()) copy_elements(y, view_of(x, x.shape(), strides, offset));
    return y;
  }
  static Gradients backward(const Context&, const Options& o, const Tensor& gy) { return {flip(gy, o.dims)}; }
};

struct CopyOp {
  static constexpr OpInfo info{"contiguous"};
  struct Options {
    bool channels_last;
    template <class S, class V> static void fields(S& s, V&& v) { v("channels_last", s.channels_last); }
  };
  static Tensor forward(Context&, const Options& o, const Tensor& x) {
    Tensor y = empty_strided(x.shape(), o.channels_last ? channels_last_strides(x.shape()) : contiguous_strides(x.shape()), x.dtype(), x.device());
    copy_elements(y, x);
    return y;
  }
  static Gradients backward(const Context&, const Options&, const Tensor& gy) { return {gy}; }
};

}  // namespace

Tensor cat(TensorList xs, int dim) {
  if (xs.size() == 0) throw ShapeError("cat: expected at least one tensor");
  const int d = wrap_dim("cat", dim, xs[0].dim());
  for (const Tensor& x : xs) {
    check_device("cat", xs[0], x);
    bool fits = x.dim() == xs[0].dim();
    for (int i = 0; i < x.dim() && fits; ++i) fits = i == d || x.size(i) == xs[0].size(i);
    if (!fits)
      throw ShapeError(fmt::format("cat: shapes must agree outside dimension {}, got {} and {}", d, to_string(xs[0].shape()), to_string(x.shape())));
  }
  return apply<CatOp>({d}, xs);
}

Tensor clone(const Tensor& x) { return apply<CloneOp>({}, x); }

Tensor contiguous(const Tensor& x) { return x.is_contiguous() ? x : apply<CopyOp>({false}, x); }

Tensor channels_last(const Tensor& x) {
  if (x.dim() != 4) throw ShapeError(fmt::format("channels_last: expected [N, C, H, W], got {}", to_string(x.shape())));
  return x.is_channels_last() ? x : apply<CopyOp>({true}, x);
}

Tensor stack(TensorList xs, int dim) {
  std::vector<Tensor> lifted;
  for (const Tensor& x : xs) {
    if (!(x.shape() == xs[0].shape()))
      throw ShapeError(fmt::format("stack: shapes must be equal, got {} and {}", to_string(xs[0].shape()), to_string(x.shape())));
    lifted.push_back(unsqueeze(x, dim));
  }
  return cat(lifted, lifted.empty() ? 0 : wrap_dim("stack", dim, lifted[0].dim()));
}

Tensor flip(const Tensor& x, const Shape& dims) { return apply<FlipOp>({wrap_dims("flip", dims, x.dim())}, x); }

Tensor roll(const Tensor& x, const Shape& shifts, const Shape& dims) {
  if (dims.size() == 0 && shifts.size() == 1) return reshape(roll(reshape(x, {-1}), shifts, {0}), x.shape());
  if (shifts.size() != dims.size()) throw ShapeError(fmt::format("roll: shifts {} for dimensions {}", to_string(shifts), to_string(dims)));
  Tensor y = x;
  for (int i = 0; i < dims.size(); ++i) {
    const int d = wrap_dim("roll", static_cast<int>(dims[i]), x.dim());
    const int64_t n = x.size(d), cut = n ? ((n - shifts[i]) % n + n) % n : 0;
    if (cut) y = cat({slice(y, d, cut, n), slice(y, d, 0, cut)}, d);
  }
  return y;
}

Tensor rot90(const Tensor& x, int times, int a, int b) {
  const int from = wrap_dim("rot90", a, x.dim()), towards = wrap_dim("rot90", b, x.dim());
  if (from == towards) throw ShapeError(fmt::format("rot90: expected two dimensions, got {} twice", from));
  switch ((times % 4 + 4) % 4) {
    case 1:
      return transpose(flip(x, {towards}), from, towards);
    case 2:
      return flip(x, {from, towards});
    case 3:
      return flip(transpose(x, from, towards), {towards});
    default:
      return x;
  }
}

Tensor repeat(const Tensor& x, const Shape& times) {
  if (times.size() < x.dim())
    throw ShapeError(fmt::format("repeat: {} has fewer numbers than {} has dimensions", to_string(times), to_string(x.shape())));
  Tensor y = x;
  while (y.dim() < times.size()) y = unsqueeze(y, 0);
  for (int d = 0; d < times.size(); ++d) {
    if (times[d] < 0) throw ShapeError(fmt::format("repeat: numbers must not be negative, got {}", to_string(times)));
    if (times[d] == 0) y = slice(y, d, 0, 0);
    if (times[d] > 1) y = cat(std::vector<Tensor>(static_cast<size_t>(times[d]), y), d);
  }
  return y;
}

Tensor tile(const Tensor& x, const Shape& times) {
  Shape all;
  for (int d = times.size(); d < x.dim(); ++d) all.push_back(1);
  for (int64_t n : times) all.push_back(n);
  return repeat(x, all);
}

void fill_(Tensor& x, double value) { copy_(x, full({}, value, x.dtype(), x.device())); }

void copy_(Tensor& x, const Tensor& from) {
  profiler::OpScope profiled(profiler::Kind::in_place, "copy", x, from);
  copy_elements(x, in_place_operand("copy", x, from));
}

}  // namespace tapetum
