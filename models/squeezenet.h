// SqueezeNet (Iandola et al. 2016): AlexNet's accuracy with fifty times fewer parameters. torchvision's names and state.
#pragma once
#include "models/classifier.h"
#include "nn/containers.h"
#include "nn/conv.h"

namespace tapetum::models {

enum class SqueezeNetVersion { v1_0, v1_1 };  // 1.1 pools earlier: 2.4 times less work

struct SqueezeNetOptions {
  SqueezeNetVersion version = SqueezeNetVersion::v1_1;
  int64_t in_channels = 3, classes = 1000;
  double dropout = 0.5;
};

// 1 x 1 convolutions to few channels, then from these 1 x 1 and 3 x 3 ones side by side.
struct Fire : nn::Block {
  Fire(int64_t in, int64_t squeezed, int64_t expanded1x1, int64_t expanded3x3);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;  // [N, in, H, W] -> [N, expanded1x1 + expanded3x3, H, W]
  nn::Conv2d squeeze, expand1x1, expand3x3;
};

// Images of at least 17 x 17 (version 1.0: 21 x 21).
struct SqueezeNet : Classifier {
  explicit SqueezeNet(const SqueezeNetOptions& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 512, h, w]
  Tensor forward_head(const Tensor& features) override;
  const char* classifier_name() const override { return "classifier.1"; }

  SqueezeNetOptions options;
  nn::Sequential features, classifier;
};

}  // namespace tapetum::models
