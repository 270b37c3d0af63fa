// EfficientNet-B0 (Tan and Le 2019): inverted residuals with squeeze-and-excitation and SiLU. torchvision's names and state.
// models/efficientnet_lite.h is the variant without these two.
#pragma once
#include "models/classifier.h"
#include "nn/containers.h"
#include "nn/dropout.h"

namespace tapetum::models {

// Table 1 of the paper: the first of `blocks` strides and changes the channels.
struct EfficientNetStage {
  int64_t blocks, kernel_size, stride, expand, out;
};
constexpr EfficientNetStage kEfficientNetB0[] = {{1, 3, 1, 1, 16},  {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80},
                                                 {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320}};
constexpr int64_t kEfficientNetB0Blocks = 16;

struct EfficientNetOptions {
  double dropout = 0.2;
  double drop_path = 0.2;  // of the last block; it grows with depth from 0
  int64_t in_channels = 3, classes = 1000;
};

// 1 x 1 to `expand` times the channels (left out where that is 1), depthwise, squeeze-and-excitation, 1 x 1 without activation.
// The input is added where the shape stays.
struct MBConv : nn::Block {
  MBConv(int64_t in, int64_t out, int64_t expand, int64_t kernel_size, int64_t stride, double drop_path);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  nn::Sequential block;
  nn::DropPath stochastic_depth;
  bool residual;
};

// Images of any size; 224 x 224 in the paper.
struct EfficientNet : Classifier {
  explicit EfficientNet(const EfficientNetOptions& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 1280]
  Tensor forward_head(const Tensor& features) override { return classifier(features); }
  const char* classifier_name() const override { return "classifier.1"; }

  EfficientNetOptions options;
  nn::Sequential features, classifier;
};

}  // namespace tapetum::models
