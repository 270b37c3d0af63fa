// ResNet (He et al. 2015) and its wider kin: ResNeXt (Xie et al. 2016) groups the 3 x 3 convolutions, Wide ResNet (Zagoruyko and Komodakis
// 2016) widens them. torchvision's names and state.
#pragma once
#include <array>

#include "models/classifier.h"
#include "nn/containers.h"
#include "nn/conv.h"
#include "nn/linear.h"
#include "nn/norm.h"

namespace tapetum::models {

enum class ResNetBlock { basic, bottleneck };

struct ResNetOptions {
  ResNetBlock block = ResNetBlock::basic;
  std::array<int64_t, 4> layers = {2, 2, 2, 2};  // blocks of each stage
  int64_t groups = 1, width_per_group = 64;      // of a bottleneck's 3 x 3 convolution in the first stage
  bool zero_init_residual = false;  // the last norm of each branch starts at zero, so that blocks start as the identity (Goyal et al. 2017)
  int64_t in_channels = 3, classes = 1000;
};

// Two 3 x 3 convolutions: [N, in, H, W] -> [N, planes, H / stride, W / stride]. The shortcut is a 1 x 1 convolution where the shape changes.
struct BasicBlock : nn::Block {
  BasicBlock(int64_t in, int64_t planes, int64_t stride);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Conv2d conv2;
  nn::BatchNorm2d bn2;
  std::optional<nn::Sequential> downsample;
};

// 1 x 1 to few channels, 3 x 3 among them, 1 x 1 to 4 planes. The 3 x 3 convolution strides, where the paper has the first: more accurate.
struct Bottleneck : nn::Block {
  Bottleneck(int64_t in, int64_t planes, int64_t stride, int64_t groups, int64_t width_per_group);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Conv2d conv2;
  nn::BatchNorm2d bn2;
  nn::Conv2d conv3;
  nn::BatchNorm2d bn3;
  std::optional<nn::Sequential> downsample;
};

// Images of any size; 224 x 224 in the paper.
struct ResNet : Classifier {
  explicit ResNet(const ResNetOptions& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 512], or [N, 2048] of bottlenecks
  Tensor forward_head(const Tensor& features) override { return fc(features); }
  const char* classifier_name() const override { return "fc"; }

  ResNetOptions options;
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Sequential layer1, layer2, layer3, layer4;
  nn::Linear fc;
};

}  // namespace tapetum::models
