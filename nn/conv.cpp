#include "nn/conv.h"

#include <fmt/core.h>

#include "core/error.h"
#include "nn/init.h"

namespace tapetum::nn {
namespace {

// size / groups, where that is whole.
int64_t per_group(const char* module, int64_t in, int64_t out, int64_t groups, int64_t size) {
  if (in < 1 || out < 1 || groups < 1 || in % groups || out % groups)
    throw ShapeError(fmt::format("{}: groups must divide in_channels and out_channels, got {}, {} and {}", module, groups, in, out));
  return size / groups;
}

}  // namespace

Conv2d::Conv2d(int64_t in, int64_t out, Size2 size, const Conv2dOptions& o) : options(o) {
  weight = init::default_weight({out, per_group("Conv2d", in, out, o.groups, in), size.h, size.w});
  if (o.bias) bias = init::default_bias(weight, out);
}

Tensor Conv2d::forward(const Tensor& x) {
  return conv2d(x, weight, bias, {.stride = options.stride, .padding = options.padding, .dilation = options.dilation, .groups = options.groups});
}

ConvTranspose2d::ConvTranspose2d(int64_t in, int64_t out, Size2 size, const ConvTranspose2dOptions& o) : options(o) {
  weight = init::default_weight({in, per_group("ConvTranspose2d", in, out, o.groups, out), size.h, size.w});
  if (o.bias) bias = init::default_bias(weight, out);
}

Tensor ConvTranspose2d::forward(const Tensor& x) {
  return conv_transpose2d(x, weight, bias,
                          {.stride = options.stride,
                           .padding = options.padding,
                           .output_padding = options.output_padding,
                           .dilation = options.dilation,
                           .groups = options.groups});
}

}  // namespace tapetum::nn
