#include "data/transforms/geometric.h"

#include <fmt/core.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/ops/resize.h"
#include "core/ops/view.h"
#include "data/blur.h"
#include "data/plane.h"

namespace tapetum::data {
namespace {

Size2 size_of_picture(const Tensor& image) {
  if (image.dim() != 3 || image.numel() == 0)
    throw ShapeError(fmt::format("transform: expected an image [C, H, W], got {}", to_string(image.shape())));
  return {image.size(1), image.size(2)};
}

// f(y, x) gives the whole-numbered place that the new pixel is taken from, mirrored where it lies outside.
template <class T, class F> Tensor take(const Tensor& planes, Size2 size, F f) {
  const Tensor from = contiguous(planes);
  const int dims = from.dim();
  const int64_t count = dims == 3 ? from.size(0) : 1, h = from.size(-2), w = from.size(-1);
  Tensor to = empty(dims == 3 ? Shape{count, size.h, size.w} : Shape{size.h, size.w}, from.dtype());
  T* out = to.mutable_data<T>();
  for (int64_t c = 0; c < count; ++c) {
    const T* plane = from.data<T>() + c * h * w;
    for (int64_t y = 0; y < size.h; ++y)
      for (int64_t x = 0; x < size.w; ++x) {
        const auto [sy, sx] = f(y, x);
        *out++ = plane[mirror(sy, h) * w + mirror(sx, w)];
      }
  }
  return to;
}

struct Place {
  int64_t y, x;
};
template <class F> void take_both(SegmentationSample& sample, Size2 size, F f) {
  sample.image = take<float>(sample.image, size, f);
  if (sample.mask.defined()) sample.mask = take<int64_t>(sample.mask, size, f);
}

// Where each new pixel comes from, in pixels of the old picture.
struct Sources {
  explicit Sources(Size2 size) : y(size), x(size) {}
  Plane y, x;
};

Tensor warp_image(const Tensor& image, const Sources& from) {
  const Tensor dense = contiguous(image);
  const auto [h, w] = size_of_picture(dense);
  const int64_t channels = dense.size(0), pixels = h * w;
  Tensor result = empty(dense.shape());
  const float* old = dense.data<float>();
  float* out = result.mutable_data<float>();
  for (int64_t i = 0; i < pixels; ++i) {
    const float at_y = from.y.values[static_cast<size_t>(i)], at_x = from.x.values[static_cast<size_t>(i)], y = std::floor(at_y),
                x = std::floor(at_x);
    const auto iy = static_cast<int64_t>(y), ix = static_cast<int64_t>(x);
    const int64_t top = mirror(iy, h) * w, bottom = mirror(iy + 1, h) * w, left = mirror(ix, w), right = mirror(ix + 1, w);
    const float wy = at_y - y, wx = at_x - x;
    for (int64_t c = 0; c < channels; ++c) {
      const float* plane = old + c * pixels;
      out[c * pixels + i] =
          (1 - wy) * ((1 - wx) * plane[top + left] + wx * plane[top + right]) + wy * ((1 - wx) * plane[bottom + left] + wx * plane[bottom + right]);
    }
  }
  return result;
}

void warp(SegmentationSample& sample, const Sources& from) {
  sample.image = warp_image(sample.image, from);
  if (!sample.mask.defined()) return;
  sample.mask = take<int64_t>(sample.mask, from.y.size, [&](int64_t y, int64_t x) {
    return Place{std::lround(from.y(y, x)), std::lround(from.x(y, x))};
  });
}

void check_size(const char* op, Size2 size) {
  if (size.h < 1 || size.w < 1) throw ShapeError(fmt::format("{}: expected sizes of 1 or more, got {} x {}", op, size.h, size.w));
}

}  // namespace

Tensor resize_image(const Tensor& image, Size2 size) {
  check_size("resize", size);
  if (size_of_picture(image) == size) return image;
  const Tensor batch = reshape(image, {1, image.size(0), image.size(1), image.size(2)});
  const Tensor result = interpolate(batch, {.size = size, .mode = Interpolation::bilinear, .antialias = true});
  return contiguous(reshape(result, {image.size(0), size.h, size.w}));
}

Tensor resize_labels(const Tensor& labels, Size2 size) {
  check_size("resize", size);
  if (labels.dim() != 2 || labels.numel() == 0) throw ShapeError(fmt::format("resize: expected labels [H, W], got {}", to_string(labels.shape())));
  const int64_t h = labels.size(0), w = labels.size(1);
  return take<int64_t>(labels, size, [&](int64_t y, int64_t x) { return Place{(2 * y + 1) * h / (2 * size.h), (2 * x + 1) * w / (2 * size.w)}; });
}

void Resize::operator()(SegmentationSample& sample, RandomStream&) const {
  sample.image = resize_image(sample.image, size);
  if (sample.mask.defined()) sample.mask = resize_labels(sample.mask, size);
}

void RandomCrop::operator()(SegmentationSample& sample, RandomStream& stream) const {
  check_size("random_crop", size);
  const Size2 old = size_of_picture(sample.image);
  // A larger window slides over the mirrored surroundings with the picture inside it.
  const auto start = [&](int64_t have, int64_t want) { return have >= want ? stream.integer(have - want + 1) : -stream.integer(want - have + 1); };
  const int64_t top = start(old.h, size.h), left = start(old.w, size.w);
  take_both(sample, size, [&](int64_t y, int64_t x) { return Place{y + top, x + left}; });
}

void HorizontalFlip::operator()(SegmentationSample& sample, RandomStream& stream) const {
  if (!stream.chance(probability)) return;
  const Size2 size = size_of_picture(sample.image);
  take_both(sample, size, [&](int64_t y, int64_t x) { return Place{y, size.w - 1 - x}; });
}

void VerticalFlip::operator()(SegmentationSample& sample, RandomStream& stream) const {
  if (!stream.chance(probability)) return;
  const Size2 size = size_of_picture(sample.image);
  take_both(sample, size, [&](int64_t y, int64_t x) { return Place{size.h - 1 - y, x}; });
}

void RandomAffine::operator()(SegmentationSample& sample, RandomStream& stream) const {
  if (!(smallest > 0 && largest >= smallest))
    throw ShapeError(fmt::format("random_affine: expected 0 < smallest <= largest, got {} and {}", smallest, largest));
  if (!stream.chance(probability)) return;
  const double angle = stream.uniform(-degrees, degrees) * std::numbers::pi / 180;
  const double scale = std::exp(stream.uniform(std::log(smallest), std::log(largest)));
  const Size2 size = size_of_picture(sample.image);
  const double height = static_cast<double>(size.h), width = static_cast<double>(size.w);
  const double shift_y = height * stream.uniform(-shift, shift), shift_x = width * stream.uniform(-shift, shift);
  const double c = std::cos(angle) / scale, s = std::sin(angle) / scale, middle_y = (height - 1) / 2, middle_x = (width - 1) / 2;
  Sources from(size);
  for (int64_t y = 0; y < size.h; ++y)
    for (int64_t x = 0; x < size.w; ++x) {
      const double dy = static_cast<double>(y) - middle_y - shift_y, dx = static_cast<double>(x) - middle_x - shift_x;
      from.y(y, x) = static_cast<float>(middle_y + c * dy + s * dx);
      from.x(y, x) = static_cast<float>(middle_x - s * dy + c * dx);
    }
  warp(sample, from);
}

void Elastic::operator()(SegmentationSample& sample, RandomStream& stream) const {
  if (!stream.chance(probability)) return;
  const Size2 size = size_of_picture(sample.image);
  Sources from(size);
  for (Plane* plane : {&from.y, &from.x}) {
    for (float& v : plane->values) v = static_cast<float>(stream.uniform(-alpha, alpha));
    gaussian_blur(plane->values.data(), size.h, size.w, sigma);
  }
  for (int64_t y = 0; y < size.h; ++y)
    for (int64_t x = 0; x < size.w; ++x) {
      from.y(y, x) += static_cast<float>(y);
      from.x(y, x) += static_cast<float>(x);
    }
  warp(sample, from);
}

}  // namespace tapetum::data
