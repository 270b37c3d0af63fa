// Multi-head attention, with PyTorch's names, initial values and state.
#pragma once
#include "nn/linear.h"

namespace tapetum::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  // of the weights, in training
  bool bias = true;
  bool batch_first = true;  // tensors are [B, T, E]; else [T, B, E], which is PyTorch's default
};

// What does not take part, in PyTorch's sense of this module: bool, true where a key is left out, or floating-point, added to the scores.
struct AttentionMasks {
  Tensor attn_mask = {};         // [Tq, Tk], or one for each head [B H, Tq, Tk]
  Tensor key_padding_mask = {};  // [B, Tk]
  bool is_causal = false;        // query i meets keys 0 to i only
};

// softmax(q k^T / sqrt(E / heads)) v for each head, between linear maps (Vaswani et al. 2017). query [B, Tq, E], key and value [B, Tk, E]
// -> [B, Tq, E]; without B for one sequence. Throws ShapeError unless heads divides E.
struct MultiheadAttention : Callable<MultiheadAttention> {
  MultiheadAttention(int64_t embed_dim, int64_t num_heads, const MultiheadAttentionOptions& options = {});
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionMasks& masks = {});
  Tensor forward(const Tensor& x) { return forward(x, x, x); }
  Tensor weights(const Tensor& query, const Tensor& key, const AttentionMasks& masks = {});  // without dropout, mean of all heads: [B, Tq, Tk]

  int64_t embed_dim, num_heads;
  MultiheadAttentionOptions options;
  Parameter in_proj_weight, in_proj_bias;  // [3E, E], [3E]: of query, key and value
  Linear out_proj;
};

}  // namespace tapetum::nn
