#include "data/transforms/augmentation.h"

#include <fmt/format.h>

#include "core/error.h"
#include "data/transforms/compose.h"
#include "data/transforms/degrade.h"
#include "data/transforms/distortions.h"
#include "data/transforms/dropout.h"
#include "data/transforms/flips.h"
#include "data/transforms/photometric.h"
#include "data/transforms/policies.h"
#include "data/transforms/sizes.h"
#include "data/transforms/warps.h"

namespace tapetum::data {
namespace {

Affine moved(double p, double degrees, Range scale, double shift) {
  return {.scale = scale,
          .translate_percent = {-shift, shift},
          .rotate = {-degrees, degrees},
          .keep_ratio = true,
          .border_mode = Border::symmetric,
          .p = p};
}

Compose light() {
  return {{HorizontalFlip{}, moved(0.5, 10, {0.95, 1.05}, 0.05), ColorJitter{.brightness = 0.1, .contrast = 0.1, .p = 0.5},
           RandomGamma{.gamma_limit = {90, 110}, .p = 0.5}}};
}

Compose strong() {
  return {{HorizontalFlip{}, VerticalFlip{}, moved(0.8, 45, {0.75, 1.3}, 0.1),
           ElasticTransform{.alpha = 60, .sigma = 7, .noise_distribution = Noise::uniform, .border_mode = Border::symmetric},
           ColorJitter{.brightness = 0.25, .contrast = 0.25, .p = 0.8}, RandomGamma{.gamma_limit = {77, 130}, .p = 0.8},
           GaussianBlur{.sigma_limit = {0.3, 1.2}, .p = 0.2}, GaussNoise{.std_range = {0, 0.04}, .p = 0.3}}};
}

Compose classification() {
  return {{RandomResizedCrop{.height = 224, .width = 224}, HorizontalFlip{}, RandAugment{}, RandomErasing{.value = 124, .p = 0.25}}};
}

Compose detection() {
  return {.transforms = {HorizontalFlip{},
                         ShiftScaleRotate{.shift_limit = {-0.1, 0.1}, .scale_limit = {-0.3, 0.3}, .rotate_limit = {-7, 7}, .fill = 114, .p = 0.7},
                         Perspective{.scale = {0.02, 0.05}, .fill = 114, .p = 0.2}, HueSaturationValue{.hue_shift_limit = {-4, 4}, .p = 0.7},
                         RandomBrightnessContrast{}, CLAHE{.p = 0.1},
                         OneOf{.transforms = {GaussianBlur{.sigma_limit = {0.5, 1.5}, .p = 1}, MotionBlur{.p = 1}, MedianBlur{.p = 1}}, .p = 0.15},
                         ImageCompression{.quality_range = {40, 90}, .p = 0.2}},
          .min_visibility = 0.1};
}

constexpr struct {
  const char* name;
  Compose (*make)();
} kPresets[] = {
    {"none", [] { return Compose{}; }}, {"light", light}, {"strong", strong}, {"classification", classification}, {"detection", detection}};

}  // namespace

std::vector<std::string> augmentation_names() {
  std::vector<std::string> names;
  for (const auto& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

Transform augmentation(const std::string& name) {
  for (const auto& preset : kPresets)
    if (name == preset.name) return preset.make();
  throw Error(fmt::format("augmentation: expected one of {}, got '{}'", fmt::join(augmentation_names(), ", "), name));
}

}  // namespace tapetum::data
