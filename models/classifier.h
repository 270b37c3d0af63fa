// What every network for image classification offers, so that programs need not know which one they hold.
#pragma once
#include "nn/module.h"

namespace tapetum::models {

// x [N, C, H, W] -> logits [N, classes].
struct Classifier : nn::Layer {
  // Everything before the last learnt layer and its dropout: [N, F], or [N, F, h, w] where that layer is a convolution.
  virtual Tensor forward_features(const Tensor& x) = 0;
  virtual Tensor forward_head(const Tensor& features) = 0;
  Tensor forward(const Tensor& x) final { return forward_head(forward_features(x)); }
  virtual const char* classifier_name() const = 0;  // of the layer with `classes` outputs in state_dict(): "fc", "classifier.6"
  // Changes weights of the same architecture so that they fit: other libraries' names become ours, position embeddings are interpolated to
  // another image size.
  virtual void adapt(StateDict&) const {}
};

// Throws ShapeError unless x is [N, channels, H, W] with H and W at least `least`.
void check_images(const char* model, const Tensor& x, int64_t channels, int64_t least);
// Throws Error unless all are at least 1.
void check_positive(const char* model, std::initializer_list<std::pair<const char*, int64_t>> numbers);

}  // namespace tapetum::models
