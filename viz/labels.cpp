#include "viz/labels.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "data/image.h"

namespace tapetum::viz {
namespace {

constexpr Color kHatchGround = Color::hex(0xd9dde3), kHatchStripe = Color::hex(0xb4bac4);

}  // namespace

Tensor to_rgb(const Tensor& image) {
  const data::Image bytes = image.dtype() == DType::f32 ? data::from_float(image.detach()) : data::Image(image);
  return data::convert_channels(bytes, 3).tensor();
}

Tensor to_labels(const char* what, const Tensor& labels, int64_t height, int64_t width) {
  if (is_floating(labels.dtype())) throw DTypeError(fmt::format("{}: labels must be integers, got {}", what, name_of(labels.dtype())));
  if (labels.shape() != Shape{height, width})
    throw ShapeError(fmt::format("{}: labels must be as large as the image, [{}, {}], got {}", what, height, width, to_string(labels.shape())));
  return contiguous(to(labels, DType::i64));
}

Color hatch_color(int64_t x, int64_t y, double period) {
  const double phase = std::fmod(static_cast<double>(x + y), period) / period;
  return phase < 0.5 ? kHatchStripe : kHatchGround;
}

Tensor paint_labels(const Tensor& labels, int64_t ignore_index, double period) {
  const int64_t height = labels.size(0), width = labels.size(1);
  Tensor out = empty({height, width, 3}, DType::u8);
  const int64_t* label = labels.data<int64_t>();
  uint8_t* pixel = out.mutable_data<uint8_t>();
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x, ++label, pixel += 3) {
      const Color color = *label == ignore_index ? hatch_color(x, y, period) : class_color(*label);
      pixel[0] = color.r, pixel[1] = color.g, pixel[2] = color.b;
    }
  return out;
}

}  // namespace tapetum::viz
