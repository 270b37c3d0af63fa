// Vision Transformer (Dosovitskiy et al. 2020): an image as a sequence of patches. torchvision's names and state.
#pragma once
#include "core/size2.h"
#include "models/classifier.h"
#include "models/patches.h"
#include "nn/attention.h"
#include "nn/containers.h"
#include "nn/conv.h"
#include "nn/dropout.h"
#include "nn/norm.h"

namespace tapetum::models {

enum class ViTPooling { token, mean };  // which features are classified: a learnt token's, or the mean of all patches'

struct ViTOptions {
  Size2 image_size = 224, patch_size = 16;
  int64_t dim = 768, depth = 12, heads = 12, mlp_dim = 3072;  // ViT-B
  ViTPooling pooling = ViTPooling::token;
  bool norm_first = true;  // x + f(norm(x)) for each branch f, as in the paper; else norm(x + f(x))
  double dropout = 0, attention_dropout = 0;
  double drop_path = 0;  // of the last block's branches; it grows with depth from 0
  int64_t in_channels = 3, classes = 1000;
};

// Self-attention and a perceptron, each with a norm and a residual connection: [N, T, dim] -> [N, T, dim].
struct ViTBlock : nn::Block {
  ViTBlock(const ViTOptions& options, double drop_path);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  nn::LayerNorm ln_1;
  nn::MultiheadAttention self_attention;
  nn::Dropout dropout;
  nn::LayerNorm ln_2;
  nn::Sequential mlp;
  nn::DropPath drop_path;
  bool norm_first;
};

// Adds what each place has learnt, then runs all blocks and a last norm.
struct ViTEncoder : nn::Layer {
  explicit ViTEncoder(const ViTOptions& options);
  void visit(nn::Visitor& v) override;
  Tensor forward(const Tensor& x) override;
  nn::Parameter pos_embedding;  // [1, T, dim]
  nn::Dropout dropout;
  nn::ModuleList<ViTBlock> layers;
  nn::LayerNorm ln;
};

// Images of exactly image_size. adapt() takes weights of another size, and those of timm, whose names differ.
struct ViT : Classifier {
  explicit ViT(const ViTOptions& options = {});  // throws Error unless patches divide the image and heads the dimension
  void visit(nn::Visitor& v) override;
  Tensor forward_features(const Tensor& x) override;  // [N, dim]
  Tensor forward_head(const Tensor& features) override { return head(features); }
  const char* classifier_name() const override { return "heads.head"; }
  void adapt(StateDict& weights) const override;

  ViTOptions options;
  nn::Parameter class_token;  // [1, 1, dim]; undefined when patches are averaged
  nn::Conv2d conv_proj;       // one step a patch: a linear map of its pixels
  ViTEncoder encoder;
  nn::Linear head;
};

}  // namespace tapetum::models
