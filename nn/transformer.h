// The encoder layer of a transformer (Vaswani et al. 2017), with PyTorch's names, initial values and state.
#pragma once
#include "nn/attention.h"
#include "nn/dropout.h"
#include "nn/norm.h"

namespace tapetum::nn {

enum class TransformerActivation { relu, gelu };

struct TransformerEncoderLayerOptions {
  int64_t dim_feedforward = 2048;
  double dropout = 0.1;  // of attention's weights, of hidden values, and of each branch
  TransformerActivation activation = TransformerActivation::relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = true;  // x is [B, T, E]; else [T, B, E], which is PyTorch's default
  bool norm_first = false;  // x + f(norm(x)) for each branch f (Xiong et al. 2020); else norm(x + f(x))
  bool bias = true;
};

// Self-attention, then two linear maps with the activation between them, each with a residual connection: [B, T, E] -> [B, T, E].
struct TransformerEncoderLayer : Block {
  TransformerEncoderLayer(int64_t d_model, int64_t nhead, const TransformerEncoderLayerOptions& options = {});
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& x) override { return forward(x, {}); }
  Tensor forward(const Tensor& x, const AttentionMasks& masks);

  TransformerEncoderLayerOptions options;
  MultiheadAttention self_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2;
  Dropout dropout, dropout1, dropout2;

 private:
  Tensor attend(const Tensor& x, const AttentionMasks& masks);
  Tensor feed_forward(const Tensor& x);
};

}  // namespace tapetum::nn
