#include "models/patches.h"

#include <fmt/core.h>

#include <cmath>

#include "core/error.h"
#include "core/ops/resize.h"
#include "core/ops/view.h"

namespace tapetum::models {

Size2 patch_grid(const char* model, Size2 image, Size2 patch) {
  if (patch.h < 1 || patch.w < 1 || image.h < 1 || image.w < 1 || image.h % patch.h || image.w % patch.w)
    throw Error(fmt::format("{}: patches must divide the image, got patches {} x {} and image {} x {}", model, patch.h, patch.w, image.h, image.w));
  return {image.h / patch.h, image.w / patch.w};
}

void check_image_size(const char* model, const Tensor& x, int64_t channels, Size2 size) {
  if (x.dim() != 4 || x.size(1) != channels || x.size(2) != size.h || x.size(3) != size.w)
    throw ShapeError(fmt::format("{}: expected [N, {}, {}, {}], got {}: build the model for that image_size", model, channels, size.h, size.w,
                                 to_string(x.shape())));
}

Tensor tokens(const Tensor& map) { return transpose(flatten(map, 2), 1, 2); }

Tensor interpolate_position_embedding(const Tensor& embedding, Size2 from, Size2 to, const InterpolatePositionOptions& o) {
  if (embedding.dim() != 3 || embedding.size(0) != 1 || embedding.size(1) != o.prefix_tokens + from.h * from.w)
    throw ShapeError(fmt::format("interpolate_position_embedding: expected [1, {} + {} x {}, D], got {}", o.prefix_tokens, from.h, from.w,
                                 to_string(embedding.shape())));
  const Tensor prefix = narrow(embedding, 1, 0, o.prefix_tokens), places = narrow(embedding, 1, o.prefix_tokens, from.h * from.w);
  const Tensor image = unflatten(transpose(places, 1, 2), 2, {from.h, from.w});
  const Tensor resized = interpolate(image, {.size = to, .mode = Interpolation::bicubic, .align_corners = o.align_corners, .antialias = o.antialias});
  return cat({prefix, tokens(resized)}, 1);
}

void adapt_position_embedding(StateDict& weights, const std::string& key, Size2 to, const InterpolatePositionOptions& options) {
  const Tensor* old = weights.find(key);
  if (!old || old->dim() != 3 || old->size(1) == options.prefix_tokens + to.h * to.w) return;
  const int64_t places = old->size(1) - options.prefix_tokens, side = std::llround(std::sqrt(static_cast<double>(places)));
  if (side > 0 && side * side == places) weights.set(key, interpolate_position_embedding(*old, side, to, options));
}

}  // namespace tapetum::models
