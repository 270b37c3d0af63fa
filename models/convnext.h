// ConvNeXt (Liu et al. 2022): a ResNet with the habits of transformers: patches, layer norm, few activations. torchvision's names and state.
#pragma once
#include <array>

#include "models/classifier.h"
#include "nn/containers.h"
#include "nn/dropout.h"

namespace tapetum::models {

struct ConvNeXtOptions {
  std::array<int64_t, 4> depths = {3, 3, 9, 3}, dims = {96, 192, 384, 768};  // blocks and channels of each stage: ConvNeXt-Tiny
  double layer_scale = 1e-6;                                                 // where each block's factors start
  double drop_path = 0.1;                                                    // of the last block; it grows with depth from 0
  int64_t in_channels = 3, classes = 1000;
};

// Depthwise 7 x 7, layer norm, and two linear maps of each pixel with GELU between them; times a learnt factor for each channel, plus the input.
struct ConvNeXtBlock : nn::Block {
  ConvNeXtBlock(int64_t dim, double layer_scale, double drop_path);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  nn::Parameter layer_scale;  // [dim, 1, 1]
  nn::Sequential block;
  nn::DropPath stochastic_depth;
};

// Images of at least 32 x 32; 224 x 224 in the paper.
struct ConvNeXt : Classifier {
  explicit ConvNeXt(const ConvNeXtOptions& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, dims[3]], normed
  Tensor forward_head(const Tensor& features) override { return classifier[2](features); }
  const char* classifier_name() const override { return "classifier.2"; }

  ConvNeXtOptions options;
  nn::Sequential features, classifier;
};

}  // namespace tapetum::models
