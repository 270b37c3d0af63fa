// AlexNet (Krizhevsky et al. 2012), in the form of "One weird trick" (2014) with one tower of convolutions. torchvision's names and state.
#pragma once
#include "models/classifier.h"
#include "nn/containers.h"

namespace tapetum::models {

struct AlexNetOptions {
  double dropout = 0.5;
  int64_t in_channels = 3, classes = 1000;
};

// Images of at least 63 x 63; 224 x 224 in the paper.
struct AlexNet : Classifier {
  explicit AlexNet(const AlexNetOptions& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 4096]
  Tensor forward_head(const Tensor& features) override { return classifier[6](features); }
  const char* classifier_name() const override { return "classifier.6"; }

  AlexNetOptions options;
  nn::Sequential features, classifier;
};

}  // namespace tapetum::models
