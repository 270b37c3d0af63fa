#include "data/transforms/colour.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/ops/view.h"
#include "data/blur.h"
#include "data/white_noise.h"

namespace tapetum::data {
namespace {

// A new image of f(value).
template <class F> Tensor map_pixels(const Tensor& image, F f) {
  const Tensor dense = contiguous(image);
  Tensor result = empty(dense.shape());
  std::transform(dense.data<float>(), dense.data<float>() + dense.numel(), result.mutable_data<float>(), f);
  return result;
}

double factor(RandomStream& stream, double range) { return std::pow(1 + range, stream.uniform(-1, 1)); }

float mean_of(const Tensor& image) {
  const Tensor dense = contiguous(image);
  double sum = 0;
  for (int64_t i = 0; i < dense.numel(); ++i) sum += dense.data<float>()[i];
  return static_cast<float>(sum / static_cast<double>(std::max<int64_t>(1, dense.numel())));
}

}  // namespace

void ColourJitter::operator()(SegmentationSample& sample, RandomStream& stream) const {
  if (!stream.chance(probability)) return;
  const auto light = static_cast<float>(factor(stream, brightness)), stretch = static_cast<float>(factor(stream, contrast)),
             exponent = static_cast<float>(factor(stream, gamma)), middle = light * mean_of(sample.image);
  sample.image = map_pixels(sample.image, [&](float v) {
    const float stretched = std::clamp((light * v - middle) * stretch + middle, 0.f, 1.f);
    return gamma == 0 ? stretched : std::pow(stretched, exponent);
  });
}

void GaussianBlur::operator()(SegmentationSample& sample, RandomStream& stream) const {
  if (!stream.chance(probability)) return;
  const double deviation = stream.uniform(smallest, largest);
  Tensor blurred = map_pixels(sample.image, [](float v) { return v; });
  const int64_t h = blurred.size(1), w = blurred.size(2);
  float* pixels = blurred.mutable_data<float>();
  for (int64_t c = 0; c < blurred.size(0); ++c) gaussian_blur(pixels + c * h * w, h, w, deviation);
  sample.image = blurred;
}

void GaussianNoise::operator()(SegmentationSample& sample, RandomStream& stream) const {
  if (!stream.chance(probability)) return;
  const auto deviation = static_cast<float>(stream.uniform(0, largest));
  std::vector<float> noise(static_cast<size_t>(sample.image.numel()));
  fill_normal(stream, noise.data(), noise.size());
  size_t i = 0;
  sample.image = map_pixels(sample.image, [&](float v) { return std::clamp(v + deviation * noise[i++], 0.f, 1.f); });
}

void Normalize::operator()(SegmentationSample& sample, RandomStream&) const {
  const Tensor& image = sample.image;
  if (image.dim() != 3 || image.size(0) != 3)
    throw ShapeError(fmt::format("normalize: expected an image [3, H, W], got {}", to_string(image.shape())));
  for (float d : deviation)
    if (!(d > 0)) throw ShapeError(fmt::format("normalize: expected deviations above 0, got {}", d));
  const int64_t plane = image.size(1) * image.size(2);
  int64_t i = 0;
  sample.image = map_pixels(image, [&](float v) {
    const auto c = static_cast<size_t>(i++ / plane);
    return (v - mean[c]) / deviation[c];
  });
}

}  // namespace tapetum::data
