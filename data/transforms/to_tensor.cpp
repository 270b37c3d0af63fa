#include "data/transforms/to_tensor.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/ops/view.h"
#include "data/transforms/targets.h"

namespace tapetum::data {
namespace {

bool is_planes(const Tensor& image) { return image.defined() && image.dtype() == DType::f32 && image.dim() == 3; }

}  // namespace

void ToTensor::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p) || is_planes(sample.image)) return;
  sample.image = to_float(image_of(kName, sample));
}

void Normalize::check() const {
  if (mean.empty() || mean.size() != std.size())
    throw Error(fmt::format("{}: expected as many means as deviations, got {} and {}", kName, mean.size(), std.size()));
  for (const double d : std)
    if (!(d > 0)) throw Error(fmt::format("{}: expected std above 0, got {}", kName, d));
  if (!(max_pixel_value > 0)) throw Error(fmt::format("{}: expected max_pixel_value above 0, got {}", kName, max_pixel_value));
}

void Normalize::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const bool bytes = !is_planes(sample.image);
  const Tensor from = bytes ? image_of(kName, sample).tensor() : contiguous(sample.image);
  const Size2 size = size_of_image(sample);
  const int64_t channels = from.size(bytes ? 2 : 0), pixels = size.h * size.w;
  if (static_cast<int64_t>(mean.size()) != channels)
    throw ShapeError(fmt::format("{}: expected an image of {} channels, got {}", kName, mean.size(), channels));
  Tensor result = empty({channels, size.h, size.w});
  float* to = result.mutable_data<float>();
  const uint8_t* packed = bytes ? from.data<uint8_t>() : nullptr;
  const float* planes = bytes ? nullptr : from.data<float>();
  for (int64_t c = 0; c < channels; ++c, to += pixels) {
    const double scale = 1 / std[static_cast<size_t>(c)] / (bytes ? max_pixel_value : 1),
                 offset = mean[static_cast<size_t>(c)] / std[static_cast<size_t>(c)];
    const auto k = static_cast<float>(scale), m = static_cast<float>(offset);
    if (bytes)
      for (int64_t i = 0; i < pixels; ++i) to[i] = static_cast<float>(packed[i * channels + c]) * k - m;
    else
      for (int64_t i = 0; i < pixels; ++i) to[i] = planes[c * pixels + i] * k - m;
  }
  sample.image = result;
}

}  // namespace tapetum::data
