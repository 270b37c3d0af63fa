#include "nn/conv.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/ops/pad.h"
#include "nn/init.h"

namespace tapetum::nn {
namespace {

// size / groups, where that is whole.
int64_t per_group(const char* module, int64_t in, int64_t out, int64_t groups, int64_t size) {
  if (in < 1 || out < 1 || groups < 1 || in % groups || out % groups)
    throw ShapeError(fmt::format("{}: groups must divide in_channels and out_channels, got {}, {} and {}", module, groups, in, out));
  return size / groups;
}

// Rows of zeros so that windows at every stride cover `size` rows to the last.
int64_t same_padding(int64_t size, int64_t window, int64_t stride, int64_t dilation) {
  const int64_t last = (size - 1) / stride * stride;
  return std::max<int64_t>(last + dilation * (window - 1) + 1 - size, 0);
}

}  // namespace

Conv2d::Conv2d(int64_t in, int64_t out, Size2 size, const Conv2dOptions& o) : options(o) {
  weight = init::default_weight({out, per_group("Conv2d", in, out, o.groups, in), size.h, size.w});
  if (o.bias) bias = init::default_bias(weight, out);
}

Conv2d::Call Conv2d::call(const Tensor& x) const {
  return {x, {.stride = options.stride, .padding = options.padding, .dilation = options.dilation, .groups = options.groups}};
}

Tensor Conv2d::forward(const Tensor& x) {
  const Call c = call(x);
  return conv2d(c.x, weight, bias, c.options);
}

Tensor Conv2d::forward_act(const Tensor& x, const ChannelAffine& affine, const Tensor& residual, ConvActivation activation) {
  const Call c = call(x);
  return conv2d_act(c.x, weight, bias, affine.scale, affine.shift, residual, activation, c.options);
}

Conv2d::Call Conv2dSame::call(const Tensor& x) const {
  if (x.dim() != 4) throw ShapeError(fmt::format("Conv2dSame: expected [N, C, H, W], got {}", to_string(x.shape())));
  const Size2 stride = options.stride, dilation = options.dilation;
  const int64_t h = same_padding(x.size(2), weight.size(2), stride.h, dilation.h), w = same_padding(x.size(3), weight.size(3), stride.w, dilation.w);
  const bool even = h % 2 == 0 && w % 2 == 0;  // then the convolution pads itself, without a copy
  return {even ? x : pad(x, {w / 2, w - w / 2, h / 2, h - h / 2}),
          {.stride = stride, .padding = even ? Size2(h / 2, w / 2) : Size2(0), .dilation = dilation, .groups = options.groups}};
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

Conv1d::Conv1d(int64_t in, int64_t out, int64_t size, const Conv1dOptions& o) : options(o) {
  weight = init::default_weight({out, per_group("Conv1d", in, out, o.groups, in), size});
  if (o.bias) bias = init::default_bias(weight, out);
}

Tensor Conv1d::forward(const Tensor& x) {
  return conv1d(x, weight, bias, {.stride = options.stride, .padding = options.padding, .dilation = options.dilation, .groups = options.groups});
}

ConvTranspose1d::ConvTranspose1d(int64_t in, int64_t out, int64_t size, const ConvTranspose1dOptions& o) : options(o) {
  weight = init::default_weight({in, per_group("ConvTranspose1d", in, out, o.groups, out), size});
  if (o.bias) bias = init::default_bias(weight, out);
}

Tensor ConvTranspose1d::forward(const Tensor& x) {
  return conv_transpose1d(x, weight, bias,
                          {.stride = options.stride,
                           .padding = options.padding,
                           .output_padding = options.output_padding,
                           .dilation = options.dilation,
                           .groups = options.groups});
}

}  // namespace tapetum::nn
