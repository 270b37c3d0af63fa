// Images as rows of patches, and where each patch is: what vision transformers share.
#pragma once
#include <string>

#include "core/serialization/state_dict.h"
#include "core/size2.h"
#include "core/tensor.h"

namespace tapetum::models {

Size2 patch_grid(const char* model, Size2 image, Size2 patch);  // how many patches; throws Error unless they divide the image
void check_image_size(const char* model, const Tensor& x, int64_t channels, Size2 size);  // throws ShapeError unless x is [N, channels, size]
Tensor tokens(const Tensor& map);                                                         // [N, D, h, w] -> [N, h w, D]

struct InterpolatePositionOptions {
  int64_t prefix_tokens = 1;  // a class token's place, which stays as it is
  bool align_corners = true;  // torchvision's; timm has align_corners = false and antialias = true
  bool antialias = false;
};

// Position embeddings [1, prefix + from.h from.w, D] for another grid of patches, [1, prefix + to.h to.w, D]: bicubic, as an image of D channels.
// For weights trained at another image size: state.set("encoder.pos_embedding", interpolate_position_embedding(old, {14, 14}, {24, 24})).
Tensor interpolate_position_embedding(const Tensor& embedding, Size2 from, Size2 to, const InterpolatePositionOptions& options = {});

// The entry `key` of the weights, where it is for another, square grid: interpolated to `to`. For Classifier::adapt().
void adapt_position_embedding(StateDict& weights, const std::string& key, Size2 to, const InterpolatePositionOptions& options = {});

}  // namespace tapetum::models
