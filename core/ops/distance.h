// Distances between vectors, in the p-norm. Gradients at distance zero are zero.
#pragma once
#include "core/tensor.h"

namespace tapetum {

// How Euclidean distances are found: by |a|^2 + |b|^2 - 2 a b, one matrix product, which loses digits where |a - b| is far below |a|; or from the
// differences, which takes memory of P R M numbers. large: the product where P or R exceeds 25, as PyTorch.
enum class CdistMode { large, product, differences };

struct CdistOptions {
  double p = 2;  // 0 counts the coordinates that differ; infinity takes the greatest difference
  CdistMode compute_mode = CdistMode::large;
};

// a [..., P, M], b [..., R, M] -> [..., P, R]; leading dimensions broadcast. Floating-point, 16-bit ones computed in f32.
Tensor cdist(const Tensor& a, const Tensor& b, const CdistOptions& options = {});

struct PairwiseDistanceOptions {
  double p = 2;
  double eps = 1e-6;  // added to the differences
  bool keepdim = false;
};
Tensor pairwise_distance(const Tensor& a, const Tensor& b, const PairwiseDistanceOptions& options = {});  // |a - b + eps| of the last dimension

}  // namespace tapetum
