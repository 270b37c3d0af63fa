#include "core/ops/attention.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "core/autograd/apply.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/matmul.h"
#include "core/ops/promotion.h"
#include "core/ops/random.h"
#include "core/ops/reduce.h"
#include "core/ops/softmax.h"
#include "core/ops/view.h"
#include "kernels/attention.h"
#include "kernels/random.h"

namespace tapetum {
namespace {

constexpr const char* kName = "scaled_dot_product_attention";

// [B, H, T, D] with dense rows.
Tensor dense_rows(const Tensor& x) { return x.size(3) == 1 || x.strides()[3] == 1 ? x : contiguous(x); }

// An uninitialised [B, H, T, width], in memory [B, T, H, width] if the heads of x lie inside its rows.
Tensor empty_heads(const Tensor& x, int64_t width) {
  const bool heads_inside = x.strides()[1] < x.strides()[2];
  const int64_t b = x.size(0), h = x.size(1), t = x.size(2);
  return heads_inside ? transpose(empty({b, t, h, width}, x.dtype(), x.device()), 1, 2) : empty({b, h, t, width}, x.dtype(), x.device());
}

kernels::Heads<const void*> heads(const Tensor& x) { return {x.raw(), x.strides()[0], x.strides()[1], x.strides()[2]}; }
kernels::Heads<void*> heads(Tensor& x) { return {x.mutable_raw(), x.strides()[0], x.strides()[1], x.strides()[2]}; }

struct AttentionOp {
  static constexpr OpInfo info{kName, Autocast::lower};
  struct Options {
    double scale, dropout;
    bool causal;
    kernels::RandomCall call;  // of dropout; no choice of the caller
    template <class S, class V> static void fields(S& s, V&& v) {
      v("scale", s.scale);
      v("dropout", s.dropout);
      v("causal", s.causal);
    }
  };

  static kernels::AttentionProblem problem(const Options& o, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
    kernels::AttentionProblem p{q.size(0), q.size(1), q.size(2), k.size(2), q.size(3), v.size(3), q.dtype(),
                                o.scale,   o.causal,  heads(q),  heads(k),  heads(v),  {},        {1 - o.dropout, o.call}};
    if (!mask.defined()) return p;
    const Shape strides = broadcast_strides(mask, {p.batch, p.heads, p.queries, p.keys});
    p.mask = {mask.raw(), mask.dtype() != DType::boolean, strides[0], strides[1], strides[2], strides[3]};
    return p;
  }

  static Tensor forward(Context& c, const Options& o, const Tensor& q_in, const Tensor& k_in, const Tensor& v_in, const Tensor& mask) {
    const Tensor q = dense_rows(q_in), k = dense_rows(k_in), v = dense_rows(v_in);
    Tensor out = empty_heads(q, v.size(3));
    Tensor lse = empty({q.size(0), q.size(1), q.size(2)}, q.dtype() == DType::f64 ? DType::f64 : DType::f32, q.device());
    launch(kernels::attention_forward, q.device(), q.dtype(), {problem(o, q, k, v, mask), heads(out), lse.mutable_raw()});
    c.save(lse);
    c.save_output(0);
    return out;
  }

  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    const Tensor q = dense_rows(c.saved(0)), k = dense_rows(c.saved(1)), v = dense_rows(c.saved(2)), mask = c.saved(3);
    const Tensor lse = c.saved(4), out = dense_rows(c.saved(5)), g = dense_rows(gy);
    Tensor gq = empty_heads(q, q.size(3)), gk = empty_heads(k, k.size(3)), gv = empty_heads(v, v.size(3));
    launch(kernels::attention_backward, q.device(), q.dtype(),
           {problem(o, q, k, v, mask), heads(out), heads(g), lse.raw(), heads(gq), heads(gk), heads(gv)});
    return {gq, gk, gv, Tensor()};
  }

  static Tensor twin(const Options& o, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
    constexpr double none = -std::numeric_limits<double>::infinity();
    Tensor s = matmul(q, transpose(k, 2, 3)) * o.scale;
    if (s.numel() == 0) return matmul(s, v);
    if (mask.defined()) s = mask.dtype() == DType::boolean ? masked_fill(s, logical_not(mask), none) : s + mask;
    if (o.causal) s = masked_fill(s, triu(ones({q.size(2), k.size(2)}, DType::boolean, q.device()), 1), none);
    const Tensor keyless = amax(s.detach(), {3}, true) == none;
    Tensor p = masked_fill(softmax(masked_fill(s, keyless, 0), 3), keyless, 0);
    if (o.dropout != 0) p = p * dropout_factors(o, p);
    return matmul(p, v);
  }

  static Tensor dropout_factors(const Options& o, const Tensor& p) {
    Tensor kept = empty(p.shape(), p.dtype(), p.device());
    launch(kernels::random_bernoulli, p.device(), p.dtype(), {p.numel(), p.dtype(), o.call, 1 - o.dropout, 0, kept.mutable_raw()});
    return o.dropout == 1 ? kept : kept * (1 / (1 - o.dropout));
  }
};

Shape leading(const Tensor& x) {
  Shape s;
  for (int d = 0; d < x.dim() - 2; ++d) s.push_back(x.size(d));
  return s;
}
Shape with(Shape batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

// x over the given leading dimensions, as [B, H, rows, columns].
Tensor as_heads(const Tensor& x, const Shape& batch) {
  const Tensor y = leading(x) == batch ? x : expand(x, with(batch, x.size(-2), x.size(-1)));
  if (y.dim() == 4) return y;
  if (y.dim() < 4) return as_heads(unsqueeze(y, 0), leading(unsqueeze(y, 0)));
  return reshape(y, {-1, y.size(-3), y.size(-2), y.size(-1)});
}

void check(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  check_floating(kName, q);
  check_same(kName, q, k);
  check_same(kName, q, v);
  const bool matrices = q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2;
  if (!matrices || q.size(-1) != k.size(-1) || k.size(-2) != v.size(-2))
    throw ShapeError(fmt::format("{}: expected q [..., Tq, D], k [..., Tk, D] and v [..., Tk, E], got {}, {} and {}", kName, to_string(q.shape()),
                                 to_string(k.shape()), to_string(v.shape())));
  if (!(o.dropout >= 0 && o.dropout <= 1)) throw Error(fmt::format("{}: the dropout must lie in [0, 1], got {}", kName, o.dropout));
}

void check_mask(const Tensor& mask, const Tensor& q, const Shape& scores) {
  check_device(kName, q, mask);
  if (mask.dtype() != DType::boolean && mask.dtype() != q.dtype())
    throw DTypeError(fmt::format("{}: expected a mask of bool or {}, got {}", kName, name_of(q.dtype()), name_of(mask.dtype())));
  if (mask.dim() > scores.size() || !(broadcast(kName, mask.shape(), scores) == scores))
    throw ShapeError(fmt::format("{}: the mask must broadcast to {}, got {}", kName, to_string(scores), to_string(mask.shape())));
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionOptions& options_given) {
  const Casting cast(AttentionOp::info.autocast);
  const Tensor q = cast(query), k = cast(key), v = cast(value);
  AttentionOptions o = options_given;
  o.mask = cast(o.mask);
  check(q, k, v, o);
  const Shape batch = broadcast(kName, broadcast(kName, leading(q), leading(k)), leading(v));
  const int64_t width = q.size(-1);
  if (o.mask.defined()) check_mask(o.mask, q, with(batch, q.size(-2), k.size(-2)));
  if (const DType compute = kernel_type(q); compute != q.dtype()) {
    AttentionOptions wide = o;
    if (o.mask.defined() && o.mask.dtype() != DType::boolean) wide.mask = to(o.mask, compute);
    return to(scaled_dot_product_attention(to(q, compute), to(k, compute), to(v, compute), wide), q.dtype());
  }
  const AttentionOp::Options options{o.scale.value_or(1 / std::sqrt(static_cast<double>(width > 0 ? width : 1))), o.dropout, o.causal,
                                     o.dropout > 0 ? next_random_call(q.device()) : kernels::RandomCall{}};
  const Tensor queries = as_heads(q, batch), keys = as_heads(k, batch), values = as_heads(v, batch);
  Tensor mask = o.mask;
  if (mask.defined()) mask = mask.dim() <= 4 && batch.size() <= 2 ? mask : as_heads(expand(mask, with(batch, q.size(-2), k.size(-2))), batch);
  const bool learnt_mask = mask.defined() && mask.requires_grad() && modes.grad;
  const Tensor y = learnt_mask ? AttentionOp::twin(options, queries, keys, values, mask) : apply<AttentionOp>(options, queries, keys, values, mask);
  return batch.size() == 2 ? y : reshape(y, with(batch, q.size(-2), v.size(-1)));
}

}  // namespace tapetum
