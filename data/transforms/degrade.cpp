#include "data/transforms/degrade.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/pixels/blur.h"
#include "data/pixels/tables.h"
#include "data/transforms/targets.h"
#include "data/white_noise.h"

namespace tapetum::data {
namespace {

int64_t odd(int64_t n) { return n | 1; }

// An odd size of 3 or more; every one of the range is as likely.
int64_t odd_size(IntRange range, RandomStream& stream) {
  const int64_t low = std::max<int64_t>(3, odd(range.low)), high = std::max(low, odd(range.high));
  return low + 2 * stream.integer((high - low) / 2 + 1);
}

std::vector<float> gaussian(double sigma, int64_t size) {
  std::vector<double> exact;
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    const double x = static_cast<double>(i - size / 2) / sigma;
    sum += exact.emplace_back(std::exp(-0.5 * x * x));
  }
  std::vector<float> weights;
  for (const double v : exact) weights.push_back(static_cast<float>(v / sum));
  return weights;
}

// `size` points along the stroke, each pixel they touch weighing the same.
std::vector<float> stroke(int64_t size, double angle, double direction, double shift_x, double shift_y) {
  const double middle = static_cast<double>(size / 2), begin = direction > 0 ? -middle * (1 - direction) : -middle,
               end = direction < 0 ? middle * (1 + direction) : middle, radians = angle * std::numbers::pi / 180;
  std::vector<float> kernel(static_cast<size_t>(size * size));
  for (int64_t i = 0; i < size; ++i) {
    const double t = begin + (end - begin) * static_cast<double>(i) / static_cast<double>(size - 1);
    const auto index = [&](double v) { return std::clamp<int64_t>(std::llrint(v), 0, size - 1); };
    kernel[static_cast<size_t>(index(middle + std::sin(radians) * t + shift_y) * size + index(middle + std::cos(radians) * t + shift_x))] = 1;
  }
  float sum = 0;
  for (const float k : kernel) sum += k;
  for (float& k : kernel) k /= sum;
  return kernel;
}

}  // namespace

void GaussianBlur::check() const {
  check_range(kName, "blur_limit", blur_limit, 0, 8190);
  check_range(kName, "sigma_limit", sigma_limit, 1e-3, 900);
}
void GaussianBlur::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const double sigma = stream.uniform(sigma_limit.low, sigma_limit.high);
  const int64_t asked = blur_limit.low + stream.integer(blur_limit.high - blur_limit.low + 1);
  sample.image =
      filter_separable(image_of(kName, sample), gaussian(sigma, asked == 0 ? static_cast<int64_t>(sigma * 3.5) * 2 + 1 : odd(asked))).tensor();
}

void MotionBlur::check() const {
  check_range(kName, "blur_limit", blur_limit, 1, 254);
  check_range(kName, "angle_range", angle_range, -360, 360);
  check_range(kName, "direction_range", direction_range, -1, 1);
}
void MotionBlur::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const int64_t size = odd_size(blur_limit, stream);
  const double angle = stream.uniform(angle_range.low, angle_range.high), direction = stream.uniform(direction_range.low, direction_range.high),
               reach = allow_shifted ? static_cast<double>(size / 2) / 2 : 0, x = stream.uniform(-1, 1) * reach, y = stream.uniform(-1, 1) * reach;
  sample.image = filter_image(image_of(kName, sample), stroke(size, angle, direction, x, y), size).tensor();
}

void MedianBlur::check() const { check_range(kName, "blur_limit", blur_limit, 1, 15); }
void MedianBlur::operator()(ImageSample& sample, RandomStream& stream) const {
  if (stream.chance(p)) sample.image = median_blur(image_of(kName, sample), odd_size(blur_limit, stream)).tensor();
}

void Sharpen::check() const {
  check_range(kName, "alpha", alpha, 0, 1);
  check_range(kName, "lightness", lightness, 0, 100);
}
void Sharpen::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const auto part = static_cast<float>(stream.uniform(alpha.low, alpha.high)),
             light = static_cast<float>(stream.uniform(lightness.low, lightness.high));
  std::vector<float> kernel(9, -part);
  kernel[4] = 1 - part + part * (8 + light);
  sample.image = filter_image(image_of(kName, sample), kernel, 3).tensor();
}

void GaussNoise::check() const {
  check_range(kName, "std_range", std_range, 0, 1);
  check_range(kName, "mean_range", mean_range, -1, 1);
}
void GaussNoise::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = image_of(kName, sample);
  const auto deviation = static_cast<float>(stream.uniform(std_range.low, std_range.high) * 255),
             mean = static_cast<float>(stream.uniform(mean_range.low, mean_range.high) * 255);
  const int64_t pixels = image.height() * image.width(), channels = image.channels(), colours = colour_channels(image),
                drawn = per_channel ? colours : 1;
  std::vector<float> noise(static_cast<size_t>(pixels * drawn));
  fill_normal(stream, noise.data(), noise.size());
  Image result(image.height(), image.width(), channels);
  const uint8_t* from = image.row(0);
  uint8_t* to = result.mutable_row(0);
  for (int64_t i = 0; i < pixels; ++i, from += channels, to += channels)
    for (int64_t c = 0; c < channels; ++c) {
      const float v =
          static_cast<float>(from[c]) + mean + deviation * noise[static_cast<size_t>(i * drawn + (per_channel ? std::min(c, colours - 1) : 0))];
      to[c] = c == 3 ? from[c] : static_cast<uint8_t>(std::clamp(v, 0.f, 255.f) + 0.5f);
    }
  sample.image = result.tensor();
}

void ImageCompression::check() const { check_range(kName, "quality_range", quality_range, 1, 100); }
void ImageCompression::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = image_of(kName, sample);
  const auto quality = static_cast<int>(quality_range.low + stream.integer(quality_range.high - quality_range.low + 1));
  const int colours = static_cast<int>(colour_channels(image));
  Image result = decode_image(encode_jpeg(convert_channels(image, colours), quality), kName, colours);
  if (image.channels() == 4) {
    result = convert_channels(result, 4);
    uint8_t* to = result.mutable_row(0) + 3;
    for (int64_t i = 0; i < image.height() * image.width(); ++i) to[4 * i] = image.row(0)[4 * i + 3];
  }
  sample.image = result.tensor();
}

}  // namespace tapetum::data
