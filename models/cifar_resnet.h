// The small ResNets for 32 x 32 images of section 4.2 of He et al. 2015: three stages of 16, 32 and 64 channels, 6 n + 2 layers deep.
// The names of a well-known PyTorch port (layer1.0.conv1, linear).
#pragma once
#include "models/classifier.h"
#include "nn/containers.h"
#include "nn/conv.h"
#include "nn/linear.h"
#include "nn/norm.h"

namespace tapetum::models {

struct CifarResNetOptions {
  int64_t depth = 20;  // 6 n + 2: 20, 32, 44, 56, 110
  int64_t in_channels = 3, classes = 10;
};

// relu(shortcut(x) + two 3 x 3 convolutions). Where the size halves the shortcut takes every second pixel and adds channels of zeros, half of
// them before and half after: the paper's option A, which has no parameters.
struct CifarResNetBlock : nn::Block {
  CifarResNetBlock(int64_t in, int64_t out, int64_t stride);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Conv2d conv2;
  nn::BatchNorm2d bn2;
};

// Images of any size.
struct CifarResNet : Classifier {
  explicit CifarResNet(const CifarResNetOptions& options = {});  // throws Error unless depth is 6 n + 2
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 64]
  Tensor forward_head(const Tensor& features) override { return linear(features); }
  const char* classifier_name() const override { return "linear"; }

  CifarResNetOptions options;
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Sequential layer1, layer2, layer3;
  nn::Linear linear;
};

}  // namespace tapetum::models
