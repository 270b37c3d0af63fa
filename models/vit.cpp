#include "models/vit.h"

#include <algorithm>
#include <cmath>

#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"
#include "models/families.h"
#include "nn/activation.h"
#include "nn/init.h"

namespace tapetum::models {
namespace {

constexpr double kEps = 1e-6;

const ViTOptions& checked(const ViTOptions& o) {
  check_positive("ViT", {{"in_channels", o.in_channels}, {"classes", o.classes}, {"dim", o.dim}, {"depth", o.depth}, {"mlp_dim", o.mlp_dim}});
  return o;
}

int64_t sequence_length(const ViTOptions& o) {
  const Size2 grid = patch_grid("ViT", o.image_size, o.patch_size);
  return grid.h * grid.w + (o.pooling == ViTPooling::token);
}

}  // namespace

ViTBlock::ViTBlock(const ViTOptions& o, double drop_path)
    : ln_1(o.dim, {.eps = kEps}),
      self_attention(o.dim, o.heads, {.dropout = o.attention_dropout}),
      dropout(o.dropout),
      ln_2(o.dim, {.eps = kEps}),
      mlp(nn::Linear(o.dim, o.mlp_dim), nn::GELU(), nn::Dropout(o.dropout), nn::Linear(o.mlp_dim, o.dim), nn::Dropout(o.dropout)),
      drop_path(drop_path),
      norm_first(o.norm_first) {
  for (const size_t i : {0, 3}) {
    auto& layer = static_cast<nn::Linear&>(mlp[i]);
    nn::init::xavier_uniform_(layer.weight);
    nn::init::normal_(layer.bias, 0, 1e-6);
  }
}

void ViTBlock::visit(nn::Visitor& v) {
  v("ln_1", ln_1);
  v("self_attention", self_attention);
  v("dropout", dropout);
  v("ln_2", ln_2);
  v("mlp", mlp);
  v("drop_path", drop_path);
}

Tensor ViTBlock::forward(const Tensor& x) {
  const auto attend = [this](const Tensor& y) { return drop_path(dropout(self_attention(y))); };
  const auto think = [this](const Tensor& y) { return drop_path(mlp(y)); };
  if (norm_first) {
    const Tensor y = x + attend(ln_1(x));
    return y + think(ln_2(y));
  }
  const Tensor y = ln_1(x + attend(x));
  return ln_2(y + think(y));
}

ViTEncoder::ViTEncoder(const ViTOptions& o) : pos_embedding(empty({1, sequence_length(o), o.dim})), dropout(o.dropout), ln(o.dim, {.eps = kEps}) {
  nn::init::normal_(pos_embedding, 0, 0.02);
  const double last = static_cast<double>(std::max<int64_t>(1, o.depth - 1));
  for (int64_t i = 0; i < o.depth; ++i) layers.add(ViTBlock(o, o.drop_path * static_cast<double>(i) / last));
}

void ViTEncoder::visit(nn::Visitor& v) {
  v.parameter("pos_embedding", pos_embedding);
  v("dropout", dropout);
  for (size_t i = 0; i < layers.size(); ++i) v(("layers.encoder_layer_" + std::to_string(i)).c_str(), layers[i]);
  v("ln", ln);
}

Tensor ViTEncoder::forward(const Tensor& x) {
  Tensor y = dropout(x + pos_embedding);
  for (size_t i = 0; i < layers.size(); ++i) y = layers[i](y);
  return ln(y);
}

ViT::ViT(const ViTOptions& o)
    : options(checked(o)), conv_proj(o.in_channels, o.dim, o.patch_size, {.stride = o.patch_size}), encoder(o), head(o.dim, o.classes) {
  if (o.pooling == ViTPooling::token) class_token = nn::Parameter(zeros({1, 1, o.dim}));
  nn::init::trunc_normal_(conv_proj.weight, {.std = std::sqrt(1 / nn::init::fans(conv_proj.weight).in)});
  nn::init::zeros_(conv_proj.bias);
  nn::init::zeros_(head.weight);
  nn::init::zeros_(head.bias);
}

void ViT::visit(nn::Visitor& v) {
  v.parameter("class_token", class_token);
  v("conv_proj", conv_proj);
  v("encoder", encoder);
  v("heads.head", head);
}

Tensor ViT::forward_features(const Tensor& x) {
  check_image_size("ViT", x, options.in_channels, options.image_size);
  const Tensor patches = tokens(conv_proj(x));
  if (options.pooling == ViTPooling::mean) return mean(encoder(patches), {1});
  return select(encoder(cat({expand(class_token, {x.size(0), 1, options.dim}), patches}, 1)), 1, 0);
}

namespace {

struct Renaming {
  const char *from, *to;
};

// What timm, and a guide for beginners, call what torchvision calls otherwise; names of a block without "blocks.N.".
constexpr Renaming kWhole[] = {{"cls_token", "class_token"},
                               {"pos_embed", "encoder.pos_embedding"},
                               {"positional_embedding", "encoder.pos_embedding"},
                               {"patch_embed.proj.", "conv_proj."},
                               {"patch_embedding.projection.", "conv_proj."},
                               {"norm.", "encoder.ln."},
                               {"head.", "heads.head."}};
constexpr Renaming kBlock[] = {{"norm1.", "ln_1."},
                               {"norm2.", "ln_2."},
                               {"attn.qkv.", "self_attention.in_proj_"},
                               {"attention.qkv.", "self_attention.in_proj_"},
                               {"attn.proj.", "self_attention.out_proj."},
                               {"attention.projection.", "self_attention.out_proj."},
                               {"mlp.fc1.", "mlp.0."},
                               {"mlp.fc2.", "mlp.3."}};

template <size_t n> std::string renamed(const std::string& name, const Renaming (&rules)[n]) {
  for (const Renaming& r : rules)
    if (name.starts_with(r.from)) return r.to + name.substr(std::string_view(r.from).size());
  return name;
}

std::string torchvision_name(const std::string& name) {
  for (const char* blocks : {"blocks.", "transformer_layers."}) {
    if (!name.starts_with(blocks)) continue;
    const size_t number = std::string_view(blocks).size(), dot = name.find('.', number);
    if (dot == std::string::npos) break;
    return "encoder.layers.encoder_layer_" + name.substr(number, dot - number) + '.' + renamed(name.substr(dot + 1), kBlock);
  }
  return renamed(name, kWhole);
}

}  // namespace

void ViT::adapt(StateDict& weights) const {
  StateDict named;
  for (const auto& [name, t] : weights) named.set(torchvision_name(name), t);
  if (named.size() == weights.size()) weights = std::move(named);
  adapt_position_embedding(weights, "encoder.pos_embedding", patch_grid("ViT", options.image_size, options.patch_size),
                           {.prefix_tokens = options.pooling == ViTPooling::token});
}

namespace {

nn::Box<Classifier> make(ViTOptions options, const CreateOptions& o) {
  options.image_size = o.image_size;
  options.dropout = given_or(o.dropout, options.dropout);
  options.drop_path = given_or(o.drop_path, options.drop_path);
  options.in_channels = o.in_channels;
  options.classes = o.classes;
  return nn::Box<Classifier>(ViT(options));
}

ViTOptions tiny(int64_t patch) { return {.patch_size = patch, .dim = 192, .heads = 3, .mlp_dim = 768}; }
ViTOptions small(int64_t patch) { return {.patch_size = patch, .dim = 384, .heads = 6, .mlp_dim = 1536}; }
ViTOptions base(int64_t patch) { return {.patch_size = patch}; }
ViTOptions large(int64_t patch) { return {.patch_size = patch, .dim = 1024, .depth = 24, .heads = 16, .mlp_dim = 4096}; }

}  // namespace

Offers vit_offers() {
  const auto entry = [](const char* name, const char* paper) { return ModelEntry{name, "vit", 1000, 224, paper}; };
  constexpr const char *paper = "Dosovitskiy et al. 2020, arXiv:2010.11929", *smaller = "Touvron et al. 2020, arXiv:2012.12877";
  return {{entry("vit_ti_16", smaller), [](const CreateOptions& o) { return make(tiny(16), o); }},
          {entry("vit_s_16", smaller), [](const CreateOptions& o) { return make(small(16), o); }},
          {entry("vit_s_32", smaller), [](const CreateOptions& o) { return make(small(32), o); }},
          {entry("vit_b_16", paper), [](const CreateOptions& o) { return make(base(16), o); }},
          {entry("vit_b_32", paper), [](const CreateOptions& o) { return make(base(32), o); }},
          {entry("vit_l_16", paper), [](const CreateOptions& o) { return make(large(16), o); }},
          {entry("vit_l_32", paper), [](const CreateOptions& o) { return make(large(32), o); }}};
}

}  // namespace tapetum::models
