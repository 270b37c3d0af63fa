#include "nn/transformer.h"

#include "core/ops/activation.h"
#include "core/ops/elementwise.h"

namespace tapetum::nn {

TransformerEncoderLayer::TransformerEncoderLayer(int64_t d_model, int64_t nhead, const TransformerEncoderLayerOptions& o)
    : options(o),
      self_attn(d_model, nhead, {.dropout = o.dropout, .bias = o.bias, .batch_first = o.batch_first}),
      linear1(d_model, o.dim_feedforward, {.bias = o.bias}),
      linear2(o.dim_feedforward, d_model, {.bias = o.bias}),
      norm1(d_model, {.eps = o.layer_norm_eps, .bias = o.bias}),
      norm2(d_model, {.eps = o.layer_norm_eps, .bias = o.bias}),
      dropout(o.dropout),
      dropout1(o.dropout),
      dropout2(o.dropout) {}

void TransformerEncoderLayer::visit(Visitor& v) {
  v("self_attn", self_attn);
  v("linear1", linear1);
  v("dropout", dropout);
  v("linear2", linear2);
  v("norm1", norm1);
  v("norm2", norm2);
  v("dropout1", dropout1);
  v("dropout2", dropout2);
}

Tensor TransformerEncoderLayer::attend(const Tensor& x, const AttentionMasks& masks) { return dropout1(self_attn(x, x, x, masks)); }

Tensor TransformerEncoderLayer::feed_forward(const Tensor& x) {
  const Tensor hidden = linear1(x);
  return dropout2(linear2(dropout(options.activation == TransformerActivation::relu ? relu(hidden) : gelu(hidden))));
}

Tensor TransformerEncoderLayer::forward(const Tensor& x, const AttentionMasks& masks) {
  if (options.norm_first) {
    const Tensor y = x + attend(norm1(x), masks);
    return y + feed_forward(norm2(y));
  }
  const Tensor y = norm1(x + attend(x, masks));
  return norm2(y + feed_forward(y));
}

}  // namespace tapetum::nn
