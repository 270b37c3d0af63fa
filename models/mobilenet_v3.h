// MobileNetV3 (Howard et al. 2019): MobileNetV2's blocks with squeeze-and-excitation and hard swish, found by search. torchvision's names and state.
#pragma once
#include "models/classifier.h"
#include "nn/containers.h"

namespace tapetum::models {

enum class MobileNetV3Size { small, large };

struct MobileNetV3Options {
  MobileNetV3Size size = MobileNetV3Size::large;
  double dropout = 0.2;
  int64_t in_channels = 3, classes = 1000;
};

// A row of the paper's tables 1 and 2.
struct MobileNetV3Row {
  int64_t in, kernel_size, expanded, out;
  bool squeeze, hard_swish;  // hard swish, else ReLU
  int64_t stride;
};

// 1 x 1 to `expanded` channels, depthwise, squeeze-and-excitation, 1 x 1 without activation. The input is added where the shape stays.
struct MobileNetV3Block : nn::Block {
  explicit MobileNetV3Block(const MobileNetV3Row& row);
  void visit(nn::Visitor& v) override { v("block", block); }
  Tensor forward(const Tensor& x) override;
  nn::Sequential block;
  bool residual;
};

// Images of any size; 224 x 224 in the paper.
struct MobileNetV3 : Classifier {
  explicit MobileNetV3(const MobileNetV3Options& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 1280], small: [N, 1024]
  Tensor forward_head(const Tensor& features) override;
  const char* classifier_name() const override { return "classifier.3"; }

  MobileNetV3Options options;
  nn::Sequential features, classifier;
};

}  // namespace tapetum::models
