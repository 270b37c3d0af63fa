// The first network of many courses: three times convolution, norm, ReLU and pooling, then two linear layers.
#pragma once
#include "core/size2.h"
#include "models/classifier.h"
#include "nn/containers.h"

namespace tapetum::models {

struct SimpleCNNOptions {
  Size2 image_size = 32;  // at least 8: the linear layers know it
  double dropout = 0.5;
  int64_t in_channels = 3, classes = 10;
};

struct SimpleCNN : Classifier {
  explicit SimpleCNN(const SimpleCNNOptions& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 512]
  Tensor forward_head(const Tensor& features) override;
  const char* classifier_name() const override { return "classifier.4"; }

  SimpleCNNOptions options;
  nn::Sequential features, classifier;
};

}  // namespace tapetum::models
