// Blocks of which mobile networks are made; torchvision's names and state.
#pragma once
#include "nn/containers.h"
#include "nn/conv.h"
#include "nn/norm.h"

namespace tapetum::models {

enum class Activation { none, relu, relu6, silu, hardswish };
void add_activation(nn::Sequential& layers, Activation activation);  // nothing for none

struct ConvNormActivationOptions {
  int64_t kernel_size = 3, stride = 1, groups = 1;
  Activation activation = Activation::relu;
  double eps = 1e-5, momentum = 0.1;  // of the norm
};

// Convolution without bias, batch norm, activation: [N, in, H, W] -> [N, out, ceil(H / stride), ceil(W / stride)].
struct ConvNormActivation : nn::Sequential {
  ConvNormActivation(int64_t in, int64_t out, const ConvNormActivationOptions& options = {});
};

// x times a factor for each channel in [0, 1], which two 1 x 1 convolutions find from the means of all channels (Hu et al. 2017).
struct SqueezeExcitation : nn::Layer {
  // Hidden channels with ReLU and a hard sigmoid (MobileNetV3), or with SiLU and a sigmoid (EfficientNet).
  enum class Form { hard, smooth };
  SqueezeExcitation(int64_t channels, int64_t squeezed, Form form);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  nn::Conv2d fc1, fc2;
  Form form;
};

// The multiple of 8 nearest to `channels`, at least 8 and not below nine tenths of it: hardware likes such numbers.
int64_t divisible_by_8(double channels);

// The children from `begin` up to but without `end`, one after the other.
Tensor run(nn::Sequential& layers, const Tensor& x, size_t begin, size_t end);

}  // namespace tapetum::models
