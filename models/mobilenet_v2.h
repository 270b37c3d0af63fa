// MobileNetV2 (Sandler et al. 2018): depthwise convolutions between a 1 x 1 one that widens and one that narrows. torchvision's names and state.
#pragma once
#include "models/classifier.h"
#include "nn/containers.h"

namespace tapetum::models {

struct MobileNetV2Options {
  double width = 1;  // times the channels of every layer
  double dropout = 0.2;
  int64_t in_channels = 3, classes = 1000;
};

// 1 x 1 to `expand` times the channels (left out where that is 1), depthwise 3 x 3, 1 x 1 without activation, which would lose information in
// few channels. The input is added where the shape stays.
struct InvertedResidual : nn::Block {
  InvertedResidual(int64_t in, int64_t out, int64_t stride, int64_t expand);
  void visit(nn::Visitor& v) override { v("conv", conv); }
  Tensor forward(const Tensor& x) override;
  nn::Sequential conv;
  bool residual;
};

// Images of any size; 224 x 224 in the paper.
struct MobileNetV2 : Classifier {
  explicit MobileNetV2(const MobileNetV2Options& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 1280]
  Tensor forward_head(const Tensor& features) override { return classifier(features); }
  const char* classifier_name() const override { return "classifier.1"; }

  MobileNetV2Options options;
  nn::Sequential features, classifier;
};

}  // namespace tapetum::models
