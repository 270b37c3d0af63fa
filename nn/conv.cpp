#include "nn/conv.h"

#include "nn/init.h"

namespace tapetum::nn {

Conv2d::Conv2d(int64_t in, int64_t out, Size2 size, const Conv2dOptions& o) : weight(init::default_weight({out, in, size.h, size.w})), options(o) {
  if (o.bias) bias = init::default_bias(weight, out);
}

void Conv2d::visit(Visitor& v) {
  v.parameter("weight", weight);
  v.parameter("bias", bias);
}

Tensor Conv2d::forward(const Tensor& x) { return conv2d(x, weight, bias, {.stride = options.stride, .padding = options.padding}); }

}  // namespace tapetum::nn
