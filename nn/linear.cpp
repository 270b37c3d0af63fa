#include "nn/linear.h"

#include "core/ops/matmul.h"
#include "nn/init.h"

namespace tapetum::nn {

Linear::Linear(int64_t in, int64_t out, const LinearOptions& o) {
  weight = init::default_weight({out, in});
  if (o.bias) bias = init::default_bias(weight, out);
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

}  // namespace tapetum::nn
