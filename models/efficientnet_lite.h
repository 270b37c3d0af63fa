// EfficientNet-Lite0 (Google 2020): EfficientNet-B0 (Tan and Le 2019) for integer hardware, without squeeze-and-excitation and with ReLU6.
// TensorFlow's "same" padding and norms; the names of its PyTorch port (_blocks.0._depthwise_conv).
#pragma once
#include "models/classifier.h"
#include "nn/containers.h"
#include "nn/conv.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/norm.h"

namespace tapetum::models {

struct EfficientNetLiteOptions {
  int64_t in_channels = 3, classes = 1000;
  double dropout = 0.2;
  double drop_path = 0.2;  // of the last block; it grows with depth from 0
};

// Inverted residual: 1 x 1 to `expand` times the channels (left out where that is 1), depthwise, 1 x 1 down to few; no activation at the end.
// The input is added where the shape stays.
struct EfficientNetLiteBlock : nn::Block {
  EfficientNetLiteBlock(int64_t in, int64_t out, int64_t expand, int64_t kernel_size, int64_t stride, double drop_path);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;

  std::optional<nn::Conv2dSame> _expand_conv;
  std::optional<nn::BatchNorm2d> _bn0;
  nn::Conv2dSame _depthwise_conv;
  nn::BatchNorm2d _bn1;
  nn::Conv2dSame _project_conv;
  nn::BatchNorm2d _bn2;
  nn::DropPath drop_path;
  bool residual;
};

// Images of any size; 224 x 224 in the paper.
struct EfficientNetLite : Classifier {
  explicit EfficientNetLite(const EfficientNetLiteOptions& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 1280]
  Tensor forward_head(const Tensor& features) override;
  const char* classifier_name() const override { return "_fc"; }

  EfficientNetLiteOptions options;
  nn::Conv2dSame _conv_stem;
  nn::BatchNorm2d _bn0;
  nn::ModuleList<EfficientNetLiteBlock> _blocks;
  nn::Conv2dSame _conv_head;
  nn::BatchNorm2d _bn1;
  nn::Dropout dropout;
  nn::Linear _fc;
};

}  // namespace tapetum::models
