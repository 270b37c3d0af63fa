#include "models/plain_vit.h"

#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/view.h"
#include "models/families.h"
#include "models/patches.h"
#include "nn/init.h"

namespace tapetum::models {
namespace {

const PlainViTOptions& checked(const PlainViTOptions& o) {
  check_positive("PlainViT", {{"in_channels", o.in_channels}, {"classes", o.classes}, {"dim", o.dim}, {"depth", o.depth}, {"mlp_dim", o.mlp_dim}});
  return o;
}

nn::ModuleList<nn::TransformerEncoderLayer> encoder(const PlainViTOptions& o) {
  nn::ModuleList<nn::TransformerEncoderLayer> list;
  for (int64_t i = 0; i < o.depth; ++i)
    list.add(nn::TransformerEncoderLayer(
        o.dim, o.heads, {.dim_feedforward = o.mlp_dim, .dropout = o.dropout, .activation = o.activation, .norm_first = o.norm_first}));
  return list;
}

int64_t sequence_length(const PlainViTOptions& o) {
  const Size2 grid = patch_grid("PlainViT", o.image_size, o.patch_size);
  return 1 + grid.h * grid.w;
}

}  // namespace

PlainViT::PlainViT(const PlainViTOptions& o)
    : options(checked(o)),
      cls_token(zeros({1, 1, o.dim})),
      pos_embed(zeros({1, sequence_length(o), o.dim})),
      patch_embed(o.in_channels, o.dim, o.patch_size, {.stride = o.patch_size}),
      dropout(o.dropout),
      layers(encoder(o)),
      mlp_head(nn::LayerNorm(o.dim), nn::Linear(o.dim, o.classes)) {
  nn::init::trunc_normal_(cls_token, {.std = 0.02});
  nn::init::trunc_normal_(pos_embed, {.std = 0.02});
}

void PlainViT::visit(nn::Visitor& v) {
  v.parameter("cls_token", cls_token);
  v.parameter("pos_embed", pos_embed);
  v("patch_embed.proj", patch_embed);
  v("dropout", dropout);
  v("transformer.layers", layers);
  v("mlp_head", mlp_head);
}

Tensor PlainViT::forward_features(const Tensor& x) {
  check_image_size("PlainViT", x, options.in_channels, options.image_size);
  const Tensor patches = tokens(patch_embed(x)), token = expand(cls_token, {x.size(0), 1, options.dim});
  Tensor y = dropout(cat({token, patches}, 1) + pos_embed);
  for (size_t i = 0; i < layers.size(); ++i) y = layers[i](y);
  return mlp_head[0](select(y, 1, 0));
}

void PlainViT::adapt(StateDict& weights) const {
  adapt_position_embedding(weights, "pos_embed", patch_grid("PlainViT", options.image_size, options.patch_size));
}

Offers plain_vit_offers() {
  return {
      {{"vit_cifar10", "plain_vit", 10, 32, "Dosovitskiy et al. 2020, arXiv:2010.11929, with norms after the branches"}, [](const CreateOptions& o) {
         return nn::Box<Classifier>(
             PlainViT({.image_size = o.image_size, .dropout = given_or(o.dropout, 0.1), .in_channels = o.in_channels, .classes = o.classes}));
       }}};
}

}  // namespace tapetum::models
