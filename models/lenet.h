// LeNet-5 (LeCun et al. 1998), as it is built today: the paper's sizes, tanh and average pooling; but every map of the second convolution sees
// all of the first, the pooling has no weights, and the last layer is linear instead of distances to drawn digits.
#pragma once
#include "core/size2.h"
#include "models/classifier.h"
#include "nn/conv.h"
#include "nn/linear.h"

namespace tapetum::models {

struct LeNet5Options {
  Size2 image_size = 32;  // 32 as in the paper, or 28 as MNIST's files have it: the first convolution then pads by 2
  int64_t in_channels = 1, classes = 10;
};

struct LeNet5 : Classifier {
  explicit LeNet5(const LeNet5Options& options = {});  // throws Error for another image_size
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, 84]
  Tensor forward_head(const Tensor& features) override { return fc3(features); }
  const char* classifier_name() const override { return "fc3"; }

  LeNet5Options options;
  nn::Conv2d conv1, conv2;   // C1: 6 maps, C3: 16 maps, 5 x 5
  nn::Linear fc1, fc2, fc3;  // C5: 120, F6: 84, output
};

}  // namespace tapetum::models
