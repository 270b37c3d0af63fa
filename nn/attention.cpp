#include "nn/attention.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/ops/attention.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "core/ops/reduce.h"
#include "core/ops/softmax.h"
#include "core/ops/view.h"
#include "nn/init.h"

namespace tapetum::nn {
namespace {

bool same(const Tensor& a, const Tensor& b) { return a.ref().get() == b.ref().get(); }

Tensor added(const Tensor& mask, DType dtype) {
  if (mask.dtype() != DType::boolean) return mask;
  return masked_fill(zeros(mask.shape(), dtype, mask.device()), mask, -std::numeric_limits<double>::infinity());
}

// Both masks as one over [B, H, Tq, Tk], as scaled_dot_product_attention takes it; undefined without any.
Tensor combined(const AttentionMasks& masks, int64_t heads, DType dtype) {
  Tensor a = masks.attn_mask, b = masks.key_padding_mask;
  if (a.defined() && a.dim() == 3) a = unflatten(a, 0, {-1, heads});
  if (b.defined()) b = b.dim() == 1 ? b : unsqueeze(unsqueeze(b, 1), 1);
  if (a.defined() && b.defined()) {
    const bool both_bool = a.dtype() == DType::boolean && b.dtype() == DType::boolean;
    a = both_bool ? logical_or(a, b) : added(a, dtype) + added(b, dtype);
  } else if (b.defined()) {
    a = b;
  }
  return a.defined() && a.dtype() == DType::boolean ? logical_not(a) : a;
}

void check_sequence(const Tensor& x, int64_t width) {
  if ((x.dim() != 2 && x.dim() != 3) || x.size(-1) != width)
    throw ShapeError(fmt::format("MultiheadAttention: expected [T, {0}] or a batch of them, got {1}", width, to_string(x.shape())));
}

// Query, key and value as heads [B, H, T, D].
struct Heads {
  Tensor query, key, value;
};

Tensor heads_of(const MultiheadAttention& m, const Tensor& x) { return transpose(unflatten(x, 2, {m.num_heads, m.embed_dim / m.num_heads}), 1, 2); }

Tensor as_batch(const MultiheadAttention& m, const Tensor& x) {
  check_sequence(x, m.embed_dim);
  if (x.dim() == 2) return unsqueeze(x, 0);
  return m.options.batch_first ? x : transpose(x, 0, 1);
}

// Parts [first, first + count) of the three projections of x.
Tensor project(const MultiheadAttention& m, const Tensor& x, int64_t first, int64_t count) {
  const auto part = [&](const Tensor& t) { return t.defined() ? narrow(t, 0, first * m.embed_dim, count * m.embed_dim) : t; };
  return linear(as_batch(m, x), part(m.in_proj_weight), part(m.in_proj_bias));
}

// One product for those that are projections of the same tensor.
Heads projections(const MultiheadAttention& m, const Tensor& query, const Tensor& key, const Tensor& value) {
  const auto split_heads = [&](const Tensor& y, int64_t part) { return heads_of(m, narrow(y, 2, part * m.embed_dim, m.embed_dim)); };
  if (same(query, key) && same(key, value)) {
    const Tensor y = project(m, query, 0, 3);
    return {split_heads(y, 0), split_heads(y, 1), split_heads(y, 2)};
  }
  const Tensor q = heads_of(m, project(m, query, 0, 1));
  if (same(key, value)) {
    const Tensor y = project(m, key, 1, 2);
    return {q, split_heads(y, 0), split_heads(y, 1)};
  }
  return {q, heads_of(m, project(m, key, 1, 1)), heads_of(m, project(m, value, 2, 1))};
}

}  // namespace

MultiheadAttention::MultiheadAttention(int64_t embed_dim, int64_t num_heads, const MultiheadAttentionOptions& o)
    : embed_dim(embed_dim), num_heads(num_heads), options(o), out_proj(embed_dim, embed_dim, {.bias = o.bias}) {
  if (num_heads < 1 || embed_dim < 1 || embed_dim % num_heads)
    throw ShapeError(fmt::format("MultiheadAttention: num_heads must divide embed_dim, got {} and {}", num_heads, embed_dim));
  in_proj_weight = Parameter(empty({3 * embed_dim, embed_dim}));
  init::xavier_uniform_(in_proj_weight);
  if (!o.bias) return;
  in_proj_bias = Parameter(zeros({3 * embed_dim}));
  init::zeros_(out_proj.bias);
}

void MultiheadAttention::visit(Visitor& v) {
  v.parameter("in_proj_weight", in_proj_weight);
  v.parameter("in_proj_bias", in_proj_bias);
  v("out_proj", out_proj);
}

Tensor MultiheadAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionMasks& masks) {
  const auto [q, k, v] = projections(*this, query, key, value);
  const Tensor y = scaled_dot_product_attention(
      q, k, v, {.mask = combined(masks, num_heads, q.dtype()), .dropout = training ? options.dropout : 0, .causal = masks.is_causal});
  const Tensor out = out_proj(flatten(transpose(y, 1, 2), 2));
  if (query.dim() == 2) return squeeze(out, 0);
  return options.batch_first ? out : transpose(out, 0, 1);
}

Tensor MultiheadAttention::weights(const Tensor& query, const Tensor& key, const AttentionMasks& masks) {
  const Tensor q = heads_of(*this, project(*this, query, 0, 1)), k = heads_of(*this, project(*this, key, 1, 1));
  Tensor s = matmul(q, transpose(k, 2, 3)) * (1 / std::sqrt(static_cast<double>(q.size(3))));
  constexpr double none = -std::numeric_limits<double>::infinity();
  const Tensor mask = combined(masks, num_heads, q.dtype());
  if (mask.defined()) s = mask.dtype() == DType::boolean ? masked_fill(s, logical_not(mask), none) : s + mask;
  if (masks.is_causal) s = masked_fill(s, triu(ones({s.size(2), s.size(3)}, DType::boolean, s.device()), 1), none);
  const Tensor w = mean(softmax(s, 3), {1});
  return query.dim() == 2 ? squeeze(w, 0) : w;
}

}  // namespace tapetum::nn
