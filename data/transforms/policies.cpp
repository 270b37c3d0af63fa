#include "data/transforms/policies.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "data/pixels/enhance.h"
#include "data/pixels/tables.h"
#include "data/transforms/draws.h"
#include "data/transforms/policy_tables.h"
#include "data/transforms/targets.h"

namespace tapetum::data {
namespace {

using enum Operation;

constexpr int64_t kMostSteps = 1000;

// How strong an operation is at step `bin` of `bins`, and whether its sign is drawn.
struct Strength {
  double at;
  bool is_signed;
};

// The largest strengths of a policy; the others follow in even steps from nothing (Solarize: from 255 down to 0).
struct Space {
  double shear = 0.3, translate_x = 0, translate_y = 0, rotate = 30, factor = 0.9;
  double bits = 8, fewer_bits = 4;  // Posterize, from and by
};

Strength strength_of(Operation operation, const Space& space, int64_t bin, int64_t bins) {
  const double part = bins > 1 ? static_cast<double>(bin) / static_cast<double>(bins - 1) : 0;
  switch (operation) {
    case ShearX:
    case ShearY:
      return {part * space.shear, true};
    case TranslateX:
      return {part * space.translate_x, true};
    case TranslateY:
      return {part * space.translate_y, true};
    case Rotate:
      return {part * space.rotate, true};
    case Brightness:
    case Color:
    case Contrast:
    case Sharpness:
      return {part * space.factor, true};
    case Posterize:
      return {space.bits - std::nearbyint(part * space.fewer_bits), false};
    case Solarize:
      return {255 * (1 - part), false};
    default:
      return {0, false};
  }
}

double signed_strength(const Strength& s, RandomStream& stream) { return s.is_signed && stream.integer(2) == 1 ? -s.at : s.at; }

Space space_of(const Image& image) {
  return {.translate_x = 150. / 331 * static_cast<double>(image.width()), .translate_y = 150. / 331 * static_cast<double>(image.height())};
}

// From old to new places, measured from the picture's upper left edge.
Projection movement(Operation operation, double strength, const Image& image) {
  const double middle_x = static_cast<double>(image.width()) / 2, middle_y = static_cast<double>(image.height()) / 2;
  switch (operation) {
    case ShearX:
      return shearing(-strength, 0);
    case ShearY:
      return shearing(0, -strength);
    case TranslateX:
      return translation(std::trunc(strength), 0);
    case TranslateY:
      return translation(0, std::trunc(strength));
    default:
      return translation(middle_x, middle_y) * rotation(-strength) * translation(-middle_x, -middle_y);
  }
}

Image coloured(const Image& image, Operation operation, double strength) {
  switch (operation) {
    case Brightness:
      return adjust_brightness(image, 1 + strength);
    case Color:
      return adjust_saturation(image, 1 + strength);
    case Contrast:
      return adjust_contrast(image, 1 + strength);
    case Sharpness:
      return adjust_sharpness(image, 1 + strength);
    case Posterize:
      return posterize(image, static_cast<int64_t>(strength));
    case Solarize:
      return solarize(image, static_cast<int64_t>(std::ceil(strength)));
    case AutoContrast:
      return autocontrast(image);
    case Equalize:
      return equalize(image);
    case Invert:
      return invert(image);
    default:
      return image;
  }
}

void check_bins(const char* name, int64_t bins, int64_t magnitude) {
  if (bins < 1 || magnitude < 0 || magnitude >= bins)
    throw Error(fmt::format("{}: expected a magnitude below num_magnitude_bins, got {} of {}", name, magnitude, bins));
}

}  // namespace

const char* name_of(Policy policy) {
  constexpr const char* kNames[] = {"imagenet", "cifar10", "svhn"};
  return static_cast<size_t>(policy) < std::size(kNames) ? kNames[static_cast<size_t>(policy)] : nullptr;
}

const char* name_of(Operation operation) {
  constexpr const char* kNames[] = {"Identity", "ShearX",    "ShearY",    "TranslateX", "TranslateY",   "Rotate",   "Brightness", "Color",
                                    "Contrast", "Sharpness", "Posterize", "Solarize",   "AutoContrast", "Equalize", "Invert"};
  return static_cast<size_t>(operation) < std::size(kNames) ? kNames[static_cast<size_t>(operation)] : nullptr;
}

void apply_operation(ImageSample& sample, Operation operation, double strength, const OperationOptions& options) {
  if (operation == Identity) return;
  if (operation < ShearX || operation > Rotate) {
    sample.image = coloured(image_of(name_of(operation), sample), operation, strength).tensor();
    return;
  }
  const Image image = checked_image_of(name_of(operation), sample);
  const Projection edges = movement(operation, strength, image);
  warp_sample(sample, image, translation(-0.5, -0.5) * edges * translation(0.5, 0.5), {image.height(), image.width()},
              {options.interpolation, Border::constant, options.fill, 0});
}

void AutoAugment::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Space space = space_of(image_of(kName, sample));
  const PolicyPair& pair = policy_pairs(policy)[stream.integer(25)];
  for (const PolicyStep& step : {pair.first, pair.second}) {
    if (!stream.chance(step.probability)) continue;
    const double strength = signed_strength(strength_of(step.operation, space, step.strength, 10), stream);
    apply_operation(sample, step.operation, strength, {interpolation, fill});
  }
}

void RandAugment::check() const {
  check_bins(kName, num_magnitude_bins, magnitude);
  if (num_ops < 0 || num_ops > kMostSteps) throw Error(fmt::format("{}: expected num_ops of 0 to {}, got {}", kName, kMostSteps, num_ops));
}

void RandAugment::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  for (int64_t i = 0; i < num_ops; ++i) {
    const auto operation = static_cast<Operation>(stream.integer(14));  // all but Invert
    const Strength strength = strength_of(operation, space_of(image_of(kName, sample)), magnitude, num_magnitude_bins);
    apply_operation(sample, operation, signed_strength(strength, stream), {interpolation, fill});
  }
}

void TrivialAugment::check() const { check_bins(kName, num_magnitude_bins, 0); }

void TrivialAugment::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Space wide{.shear = 0.99, .translate_x = 32, .translate_y = 32, .rotate = 135, .factor = 0.99, .bits = 8, .fewer_bits = 6};
  const auto operation = static_cast<Operation>(stream.integer(14));
  const Strength strength = strength_of(operation, wide, stream.integer(num_magnitude_bins), num_magnitude_bins);
  apply_operation(sample, operation, signed_strength(strength, stream), {interpolation, fill});
}

void AugMix::check() const {
  if (severity < 1 || severity > 10) throw Error(fmt::format("{}: expected severity of 1 to 10, got {}", kName, severity));
  if (mixture_width < 1 || mixture_width > kMostSteps || chain_depth > kMostSteps)
    throw Error(
        fmt::format("{}: expected mixture_width of 1 to {} and chain_depth up to it, got {} and {}", kName, kMostSteps, mixture_width, chain_depth));
  if (!(alpha > 0)) throw Error(fmt::format("{}: expected alpha above 0, got {}", kName, alpha));
}

void AugMix::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  if (sample.mask.defined() || sample.boxes.defined() || sample.keypoints.defined())
    throw ShapeError(fmt::format("{}: expected a sample without mask, boxes and keypoints: they cannot follow a mixture", kName));
  const Image image = image_of(kName, sample);
  const Space space{.translate_x = static_cast<double>(image.width()) / 3, .translate_y = static_cast<double>(image.height()) / 3, .bits = 4};
  std::vector<Operation> operations = {ShearX, ShearY, TranslateX, TranslateY, Rotate, Posterize, Solarize, AutoContrast, Equalize};
  if (all_ops) operations.insert(operations.end(), {Brightness, Color, Contrast, Sharpness});
  const double augmented = draw_beta(stream, alpha, alpha);
  const std::vector<double> parts = draw_dirichlet(stream, alpha, mixture_width);
  const int64_t n = image.tensor().numel();
  std::vector<float> mix(static_cast<size_t>(n));
  const auto add = [&](const Image& from, double weight) {
    for (int64_t i = 0; i < n; ++i) mix[static_cast<size_t>(i)] += static_cast<float>(weight) * static_cast<float>(from.row(0)[i]);
  };
  add(image, 1 - augmented);
  for (const double part : parts) {
    ImageSample chain{.image = image.tensor(), .mask = {}, .boxes = {}, .labels = {}, .keypoints = {}};
    const int64_t depth = chain_depth > 0 ? chain_depth : 1 + stream.integer(3);
    for (int64_t i = 0; i < depth; ++i) {
      const Operation operation = operations[static_cast<size_t>(stream.integer(static_cast<int64_t>(operations.size())))];
      const Strength strength = strength_of(operation, space, stream.integer(severity), 10);
      apply_operation(chain, operation, signed_strength(strength, stream), {interpolation, fill});
    }
    add(Image(chain.image), augmented * part);
  }
  Image result(image.height(), image.width(), image.channels());
  for (int64_t i = 0; i < n; ++i) result.mutable_row(0)[i] = static_cast<uint8_t>(std::clamp(mix[static_cast<size_t>(i)], 0.f, 255.f) + 0.5f);
  sample.image = result.tensor();
}

}  // namespace tapetum::data
