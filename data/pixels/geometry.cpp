#include "data/pixels/geometry.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"

namespace tapetum::data {
namespace {

constexpr int64_t kLongest = 32768;

// A picture as bytes: a pixel is all its channels.
struct Grid {
  explicit Grid(const Tensor& map) : dense(contiguous(map)) {
    if ((map.dim() != 2 && map.dim() != 3) || map.numel() == 0)
      throw ShapeError(fmt::format("image: expected [H, W] or [H, W, C], none of them 0, got {}", to_string(map.shape())));
    h = map.size(0), w = map.size(1), pixel = map.numel() / (h * w) * static_cast<int64_t>(size_of(map.dtype()));
  }
  Tensor made(Size2 size) const { return empty(dense.dim() == 2 ? Shape{size.h, size.w} : Shape{size.h, size.w, dense.size(2)}, dense.dtype()); }
  const std::byte* row(int64_t y) const { return static_cast<const std::byte*>(dense.raw()) + y * w * pixel; }
  Tensor dense;
  int64_t h, w, pixel;
};

// Calls f with an integral constant where a pixel has one of the usual sizes, so that its copy is one instruction.
template <class F> void with_pixel(int64_t bytes, F f) {
  switch (bytes) {
    case 1:
      return f(std::integral_constant<size_t, 1>());
    case 3:
      return f(std::integral_constant<size_t, 3>());
    case 4:
      return f(std::integral_constant<size_t, 4>());
    case 8:
      return f(std::integral_constant<size_t, 8>());
    default:
      return f(static_cast<size_t>(bytes));
  }
}

void check_sides(const char* op, Size2 size) {
  if (size.h < 1 || size.w < 1) throw ShapeError(fmt::format("{}: expected sizes of 1 or more, got {} x {}", op, size.h, size.w));
}

// Half of a difference, ties to even: Python's round(), which torchvision uses.
int64_t half(int64_t difference) { return std::llrint(static_cast<double>(difference) / 2); }

}  // namespace

const char* name_of(Border border) {
  constexpr const char* kNames[] = {"constant", "replicate", "reflect", "symmetric"};
  return static_cast<size_t>(border) < std::size(kNames) ? kNames[static_cast<size_t>(border)] : nullptr;
}

int64_t border_index(int64_t i, int64_t n, Border border) {
  if (i >= 0 && i < n) return i;
  if (border == Border::constant) return -1;
  if (border == Border::replicate || n == 1) return i < 0 ? 0 : n - 1;
  const int64_t period = border == Border::reflect ? 2 * n - 2 : 2 * n;
  i = (i % period + period) % period;
  return i < n ? i : border == Border::reflect ? period - i : period - 1 - i;
}

Tensor crop(const Tensor& map, int64_t top, int64_t left, Size2 size) {
  const Grid from(map);
  check_sides("crop", size);
  if (top < 0 || left < 0 || top + size.h > from.h || left + size.w > from.w)
    throw ShapeError(
        fmt::format("crop: expected a part of {} x {} pixels, got {} x {} at row {}, column {}", from.h, from.w, size.h, size.w, top, left));
  if (size == Size2(from.h, from.w)) return from.dense;
  Tensor result = from.made(size);
  auto* to = static_cast<std::byte*>(result.mutable_raw());
  for (int64_t y = 0; y < size.h; ++y)
    std::memcpy(to + y * size.w * from.pixel, from.row(top + y) + left * from.pixel, static_cast<size_t>(size.w * from.pixel));
  return result;
}

namespace {

// `fill`: the bytes of one pixel.
Tensor pad_bytes(const Tensor& map, int64_t top, int64_t bottom, int64_t left, int64_t right, Border border, const std::byte* fill) {
  const Grid from(map);
  for (const int64_t border_width : {top, bottom, left, right})
    if (border_width < 0 || border_width > kLongest)
      throw ShapeError(fmt::format("pad: expected borders of 0 to {} pixels, got {}, {}, {} and {}", kLongest, top, bottom, left, right));
  if (top + bottom + left + right == 0) return from.dense;
  const Size2 size(from.h + top + bottom, from.w + left + right);
  Tensor result = from.made(size);
  auto* out = static_cast<std::byte*>(result.mutable_raw());
  with_pixel(from.pixel, [&](auto pixel) {
    const size_t n = pixel;
    for (int64_t y = 0; y < size.h; ++y) {
      const int64_t at = border_index(y - top, from.h, border);
      std::byte* to = out + y * size.w * static_cast<int64_t>(n);
      const auto put = [&](int64_t x) {
        const int64_t sx = border_index(x - left, from.w, border);
        std::memcpy(to + x * static_cast<int64_t>(n), at < 0 || sx < 0 ? fill : from.row(at) + sx * static_cast<int64_t>(n), n);
      };
      for (int64_t x = 0; x < left; ++x) put(x);
      if (at >= 0)
        std::memcpy(to + left * static_cast<int64_t>(n), from.row(at), static_cast<size_t>(from.w) * n);
      else
        for (int64_t x = left; x < left + from.w; ++x) put(x);
      for (int64_t x = left + from.w; x < size.w; ++x) put(x);
    }
  });
  return result;
}

}  // namespace

Tensor pad(const Tensor& map, int64_t top, int64_t bottom, int64_t left, int64_t right, Border border, int64_t value) {
  const Tensor fill = full({map.dim() == 3 ? map.size(2) : 1}, static_cast<double>(value), map.dtype());
  return pad_bytes(map, top, bottom, left, right, border, static_cast<const std::byte*>(fill.raw()));
}

Tensor center_crop(const Tensor& map, Size2 size, int64_t value) {
  check_sides("center_crop", size);
  const int64_t h = map.size(0), w = map.size(1), more_h = std::max<int64_t>(0, size.h - h), more_w = std::max<int64_t>(0, size.w - w);
  const Tensor large = pad(map, more_h / 2, (more_h + 1) / 2, more_w / 2, (more_w + 1) / 2, Border::constant, value);
  return crop(large, half(large.size(0) - size.h), half(large.size(1) - size.w), size);
}

Tensor flip_horizontal(const Tensor& map) {
  const Grid from(map);
  Tensor result = from.made({from.h, from.w});
  auto* to = static_cast<std::byte*>(result.mutable_raw());
  with_pixel(from.pixel, [&](auto pixel) {
    for (int64_t y = 0; y < from.h; ++y) {
      const std::byte* row = from.row(y) + from.w * from.pixel;
      for (int64_t x = 0; x < from.w; ++x, to += pixel) std::memcpy(to, row -= pixel, pixel);
    }
  });
  return result;
}

Tensor flip_vertical(const Tensor& map) {
  const Grid from(map);
  Tensor result = from.made({from.h, from.w});
  const int64_t bytes = from.w * from.pixel;
  auto* to = static_cast<std::byte*>(result.mutable_raw());
  for (int64_t y = 0; y < from.h; ++y) std::memcpy(to + y * bytes, from.row(from.h - 1 - y), static_cast<size_t>(bytes));
  return result;
}

Tensor transpose(const Tensor& map) {
  const Grid from(map);
  Tensor result = from.made({from.w, from.h});
  auto* to = static_cast<std::byte*>(result.mutable_raw());
  constexpr int64_t kTile = 32;  // of both pictures in the cache
  with_pixel(from.pixel, [&](auto pixel) {
    const auto n = static_cast<int64_t>(static_cast<size_t>(pixel));
    for (int64_t y0 = 0; y0 < from.h; y0 += kTile)
      for (int64_t x0 = 0; x0 < from.w; x0 += kTile)
        for (int64_t x = x0; x < std::min(from.w, x0 + kTile); ++x)
          for (int64_t y = y0; y < std::min(from.h, y0 + kTile); ++y) std::memcpy(to + (x * from.h + y) * n, from.row(y) + x * n, pixel);
  });
  return result;
}

Tensor rotate90(const Tensor& map, int64_t turns) {
  switch ((turns % 4 + 4) % 4) {
    case 1:
      return flip_vertical(transpose(map));
    case 2:
      return flip_vertical(flip_horizontal(map));
    case 3:
      return flip_horizontal(transpose(map));
    default:
      return Grid(map).dense;
  }
}

Image crop(const Image& image, int64_t top, int64_t left, Size2 size) { return Image(crop(image.tensor(), top, left, size)); }
Image center_crop(const Image& image, Size2 size) { return Image(center_crop(image.tensor(), size)); }
Image pad(const Image& image, int64_t top, int64_t bottom, int64_t left, int64_t right, Border border, Fill fill) {
  return Image(pad_bytes(image.tensor(), top, bottom, left, right, border, reinterpret_cast<const std::byte*>(fill.values)));
}
Image flip_horizontal(const Image& image) { return Image(flip_horizontal(image.tensor())); }
Image flip_vertical(const Image& image) { return Image(flip_vertical(image.tensor())); }
Image transpose(const Image& image) { return Image(transpose(image.tensor())); }
Image rotate90(const Image& image, int64_t turns) { return Image(rotate90(image.tensor(), turns)); }

Image exif_transpose(const Image& image, int64_t orientation) {
  switch (orientation) {
    case 1:
      return image;
    case 2:
      return flip_horizontal(image);
    case 3:
      return rotate90(image, 2);
    case 4:
      return flip_vertical(image);
    case 5:
      return transpose(image);
    case 6:
      return rotate90(image, 3);
    case 7:
      return rotate90(transpose(image), 2);
    case 8:
      return rotate90(image, 1);
    default:
      throw Error(fmt::format("exif_transpose: expected an orientation of 1 to 8, got {}", orientation));
  }
}

}  // namespace tapetum::data
