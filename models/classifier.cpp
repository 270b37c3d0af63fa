#include "models/classifier.h"

#include <fmt/core.h>

#include "core/error.h"

namespace tapetum::models {

void check_images(const char* model, const Tensor& x, int64_t channels, int64_t least) {
  if (x.dim() != 4 || x.size(1) != channels || x.size(2) < least || x.size(3) < least)
    throw ShapeError(fmt::format("{}: expected [N, {}, H, W] with H and W at least {}, got {}", model, channels, least, to_string(x.shape())));
}

void check_positive(const char* model, std::initializer_list<std::pair<const char*, int64_t>> numbers) {
  for (const auto& [name, value] : numbers)
    if (value < 1) throw Error(fmt::format("{}: {} must be positive, got {}", model, name, value));
}

}  // namespace tapetum::models
