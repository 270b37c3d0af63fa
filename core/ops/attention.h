// Attention; names and semantics of torch.nn.functional.scaled_dot_product_attention.
#pragma once
#include <optional>

#include "core/tensor.h"

namespace tapetum {

struct AttentionOptions {
  Tensor mask = {};                  // broadcasts to [..., Tq, Tk]: bool, true where a pair takes part; or in q's dtype, added to the scores
  double dropout = 0;                // probability that a weight is zeroed; the others grow by 1 / (1 - dropout)
  bool causal = false;               // query i meets keys 0 to i only; a mask may be given too
  std::optional<double> scale = {};  // of the scores; 1 / sqrt(D) when left out
};

// softmax(scale q k^T + mask) v for q [..., Tq, D], k [..., Tk, D], v [..., Tk, E] -> [..., Tq, E]; leading dimensions broadcast.
// Memory is linear in Tq and Tk (Dao et al., "FlashAttention", 2022); only gradients of gradients, and the gradient of a mask,
// make Tq x Tk numbers for every head. Weights are dropped by the numbers that dropout() would take for them.
// A query without any key gets zeros and has no gradient; NaN or infinity in v may or may not be seen where its weight is 0.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options = {});

}  // namespace tapetum
