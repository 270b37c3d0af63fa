// Vision Transformer (Dosovitskiy et al. 2020) made of nn::TransformerEncoderLayer, as it is often written for small images: norms after the
// branches and ReLU, unlike the paper. models/vit.h is the paper's.
#pragma once
#include "core/size2.h"
#include "models/classifier.h"
#include "nn/containers.h"
#include "nn/conv.h"
#include "nn/transformer.h"

namespace tapetum::models {

struct PlainViTOptions {
  Size2 image_size = 32, patch_size = 4;
  int64_t dim = 128, depth = 6, heads = 8, mlp_dim = 256;
  double dropout = 0.1;
  nn::TransformerActivation activation = nn::TransformerActivation::relu;
  bool norm_first = false;
  int64_t in_channels = 3, classes = 10;
};

// Images of exactly image_size; adapt() carries weights over from another one.
struct PlainViT : Classifier {
  explicit PlainViT(const PlainViTOptions& options = {});  // throws Error unless patches divide the image and heads the dimension
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, dim]: the class token, normed
  Tensor forward_head(const Tensor& features) override { return mlp_head[1](features); }
  const char* classifier_name() const override { return "mlp_head.1"; }
  void adapt(StateDict& weights) const override;

  PlainViTOptions options;
  nn::Parameter cls_token, pos_embed;  // [1, 1, dim], [1, 1 + patches, dim]
  nn::Conv2d patch_embed;              // one step a patch: a linear map of its pixels
  nn::Dropout dropout;
  nn::ModuleList<nn::TransformerEncoderLayer> layers;
  nn::Sequential mlp_head;  // LayerNorm, Linear
};

}  // namespace tapetum::models
