#include "data/transforms/registry.h"

#include <algorithm>
#include <cstring>

#include "data/transforms/compose.h"
#include "data/transforms/degrade.h"
#include "data/transforms/distortions.h"
#include "data/transforms/dropout.h"
#include "data/transforms/flips.h"
#include "data/transforms/photometric.h"
#include "data/transforms/policies.h"
#include "data/transforms/sizes.h"
#include "data/transforms/to_tensor.h"
#include "data/transforms/warps.h"

namespace tapetum::data {
namespace {

template <class T> Transform read(OptionVisitor& options) {
  T step;
  T::fields(step, options);
  return step;
}

template <class... T> std::vector<RegisteredTransform> list() { return {{T::kName, &read<T>}...}; }

std::vector<RegisteredTransform> all() {
  auto entries =
      list<Affine, AugMix, AutoAugment, AutoContrast, CLAHE, CenterCrop, CoarseDropout, ColorJitter, Compose, ElasticTransform, Equalize, GaussNoise,
           GaussianBlur, GridDistortion, HorizontalFlip, HueSaturationValue, ImageCompression, InvertImg, LetterBox, LongestMaxSize, MedianBlur,
           MotionBlur, Normalize, OneOf, PadIfNeeded, Perspective, Posterize, RandAugment, RandomApply, RandomBrightnessContrast, RandomCrop,
           RandomErasing, RandomGamma, RandomGrayscale, RandomResizedCrop, RandomRotate90, RandomRotation, Resize, Sharpen, ShiftScaleRotate,
           SmallestMaxSize, Solarize, SomeOf, ToGray, ToTensor, Transpose, TrivialAugment, VerticalFlip>();
  entries.push_back({"RandomHorizontalFlip", &read<HorizontalFlip>});
  entries.push_back({"RandomVerticalFlip", &read<VerticalFlip>});
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return std::strcmp(a.name, b.name) < 0; });
  return entries;
}

}  // namespace

const std::vector<RegisteredTransform>& registered_transforms() {
  static const std::vector<RegisteredTransform> entries = all();
  return entries;
}

std::vector<std::string> transform_names() {
  std::vector<std::string> names;
  for (const RegisteredTransform& entry : registered_transforms()) names.emplace_back(entry.name);
  return names;
}

}  // namespace tapetum::data
