// Convolutions, with PyTorch's names, defaults and initial values.
#pragma once
#include "core/ops/conv.h"
#include "core/ops/conv1d.h"
#include "core/ops/norm.h"
#include "nn/affine.h"

namespace tapetum::nn {

struct Conv2dOptions {
  Size2 stride = 1;
  Padding padding = 0;  // or "same"
  Size2 dilation = 1;
  int64_t groups = 1;
  bool bias = true;
};

// weight [K, C / groups, R, S], bias [K]
struct Conv2d : AffineLayer {
  Conv2d(int64_t in_channels, int64_t out_channels, Size2 kernel_size, const Conv2dOptions& options = {});
  Tensor forward(const Tensor& x) override;  // x [N, C, H, W] -> [N, K, P, Q]
  // activation(scale forward(x) + shift + residual) as one op (conv2d_act of core/ops/conv.h); the caller minds hooks (nn/fuse.h)
  Tensor forward_act(const Tensor& x, const ChannelAffine& affine, const Tensor& residual, ConvActivation activation);
  Conv2dOptions options;

 protected:
  struct Call {
    Tensor x;
    tapetum::Conv2dOptions options;
  };
  virtual Call call(const Tensor& x) const;  // what is convolved, and how
};

// TensorFlow's "same": ceil(H / stride) rows, for any stride. An odd number of zeros has the odd one below and to the right. options.padding is
// ignored.
struct Conv2dSame : Conv2d {
  using Conv2d::Conv2d;

 protected:
  Call call(const Tensor& x) const override;  // x [N, C, H, W], of which comes [N, K, ceil(H / stride), ceil(W / stride)]
};

struct ConvTranspose2dOptions {
  Size2 stride = 1, padding = 0, output_padding = 0, dilation = 1;
  int64_t groups = 1;
  bool bias = true;
};

// weight [C, K / groups, R, S], bias [K]
struct ConvTranspose2d : AffineLayer {
  ConvTranspose2d(int64_t in_channels, int64_t out_channels, Size2 kernel_size, const ConvTranspose2dOptions& options = {});
  Tensor forward(const Tensor& x) override;  // x [N, C, H, W] -> [N, K, P, Q]
  ConvTranspose2dOptions options;
};

struct Conv1dOptions {
  int64_t stride = 1;
  Padding padding = 0;  // or "same"
  int64_t dilation = 1, groups = 1;
  bool bias = true;
};

// weight [K, C / groups, S], bias [K]
struct Conv1d : AffineLayer {
  Conv1d(int64_t in_channels, int64_t out_channels, int64_t kernel_size, const Conv1dOptions& options = {});
  Tensor forward(const Tensor& x) override;  // x [N, C, L] -> [N, K, P]
  Conv1dOptions options;
};

struct ConvTranspose1dOptions {
  int64_t stride = 1, padding = 0, output_padding = 0, dilation = 1, groups = 1;
  bool bias = true;
};

// weight [C, K / groups, S], bias [K]
struct ConvTranspose1d : AffineLayer {
  ConvTranspose1d(int64_t in_channels, int64_t out_channels, int64_t kernel_size, const ConvTranspose1dOptions& options = {});
  Tensor forward(const Tensor& x) override;  // x [N, C, L] -> [N, K, P]
  ConvTranspose1dOptions options;
};

}  // namespace tapetum::nn
