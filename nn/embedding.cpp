#include "nn/embedding.h"

#include <fmt/core.h>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/random.h"
#include "core/ops/view.h"

namespace tapetum::nn {

Embedding::Embedding(int64_t rows, int64_t dim, const EmbeddingOptions& o) : weight(randn({rows, dim})), options(o) {
  if (o.padding_idx >= rows) throw ShapeError(fmt::format("Embedding: padding_idx {} is not below the {} rows", o.padding_idx, rows));
  NoGrad no_grad;
  if (o.padding_idx >= 0) select(weight.detach(), 0, o.padding_idx).zero_();
}

}  // namespace tapetum::nn
