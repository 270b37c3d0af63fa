// A table of learnt vectors, looked up by integers.
#pragma once
#include "core/ops/index.h"
#include "nn/module.h"

namespace tapetum::nn {

// Starts from N(0, 1), the padding row from zeros: it receives no gradient.
struct Embedding : Layer {
  Embedding(int64_t rows, int64_t dim, const EmbeddingOptions& options = {});
  void visit(Visitor& v) override { v.parameter("weight", weight); }
  Tensor forward(const Tensor& index) override { return embedding(index, weight, options); }  // i64 or i32 [...] -> [..., dim]
  Parameter weight;                                                                           // [rows, dim]
  EmbeddingOptions options;
};

}  // namespace tapetum::nn
