// VGG (Simonyan and Zisserman 2014): five blocks of 3 x 3 convolutions, with or without batch norm. torchvision's names and state.
#pragma once
#include <array>

#include "models/classifier.h"
#include "nn/containers.h"

namespace tapetum::models {

struct VGGOptions {
  std::array<int64_t, 5> layers = {2, 2, 3, 3, 3};  // convolutions of each block: VGG-16, the paper's configuration D
  bool batch_norm = false;                          // after each convolution
  double dropout = 0.5;
  int64_t in_channels = 3, classes = 1000;
};

// Images of at least 32 x 32; 224 x 224 in the paper.
struct VGG : Classifier {
  explicit VGG(const VGGOptions& options = {});
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 4096]
  Tensor forward_head(const Tensor& features) override;
  const char* classifier_name() const override { return "classifier.6"; }

  VGGOptions options;
  nn::Sequential features, classifier;
};

}  // namespace tapetum::models
