#include <fmt/core.h>

#include "core/error.h"
#include "data/transforms/colour.h"
#include "data/transforms/geometric.h"

namespace tapetum::data {

Transform augmentation(const std::string& name) {
  if (name == "none") return Compose({});
  if (name == "light")
    return Compose({HorizontalFlip{}, RandomAffine{.probability = 0.5, .degrees = 10, .smallest = 0.95, .largest = 1.05, .shift = 0.05},
                    ColourJitter{.probability = 0.5, .brightness = 0.1, .contrast = 0.1, .gamma = 0.1}});
  if (name == "strong")
    return Compose({HorizontalFlip{}, VerticalFlip{}, RandomAffine{.probability = 0.8, .degrees = 45, .smallest = 0.75, .largest = 1.3, .shift = 0.1},
                    Elastic{.probability = 0.5}, ColourJitter{.probability = 0.8, .brightness = 0.3, .contrast = 0.3, .gamma = 0.3},
                    GaussianBlur{.probability = 0.2}, GaussianNoise{.probability = 0.3}});
  throw Error(fmt::format("augmentation: expected 'none', 'light' or 'strong', got '{}'", name));
}

}  // namespace tapetum::data
