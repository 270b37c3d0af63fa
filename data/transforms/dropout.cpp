#include "data/transforms/dropout.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/ops/view.h"
#include "data/transforms/targets.h"

namespace tapetum::data {
namespace {

struct Hole {
  int64_t top, left, height, width;
};

int64_t side(Range range, int64_t of, RandomStream& stream) {
  if (range.high > 1) {
    const int64_t low = std::min(static_cast<int64_t>(range.low), of), high = std::min(static_cast<int64_t>(range.high), of);
    return low + stream.integer(high - low + 1);
  }
  return static_cast<int64_t>(static_cast<double>(of) * stream.uniform(range.low, range.high));
}

void check_hole(const char* name, const char* option, Range r) {
  check_range(name, option, r, 0, 1e6);
  if (r.high > 1 && r.low < 1) throw Error(fmt::format("{}: expected {} of pixels or of parts, got ({}, {})", name, option, r.low, r.high));
}

// A mask with a value in the holes.
Tensor punched(const Tensor& mask, const std::vector<Hole>& holes, int64_t value) {
  Tensor result = clone(contiguous(mask));
  for (const Hole& hole : holes)
    if (hole.height > 0 && hole.width > 0) {
      Tensor part = narrow(narrow(result, 0, hole.top, hole.height), 1, hole.left, hole.width);
      fill_(part, static_cast<double>(value));
    }
  return result;
}

}  // namespace

void CoarseDropout::check() const {
  check_range(kName, "num_holes_range", num_holes_range, 0, 10000);
  check_hole(kName, "hole_height_range", hole_height_range);
  check_hole(kName, "hole_width_range", hole_width_range);
}

void CoarseDropout::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const int64_t h = image.height(), w = image.width(), channels = image.channels(),
                count = num_holes_range.low + stream.integer(num_holes_range.high - num_holes_range.low + 1);
  std::vector<Hole> holes;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t height = side(hole_height_range, h, stream), width = side(hole_width_range, w, stream), top = stream.integer(h - height + 1),
                  left = stream.integer(w - width + 1);
    holes.push_back({top, left, height, width});
  }
  Image result(clone(image.tensor()));
  for (const Hole& hole : holes)
    for (int64_t y = hole.top; y < hole.top + hole.height; ++y)
      for (int64_t x = hole.left; x < hole.left + hole.width; ++x)
        std::memcpy(result.mutable_row(y) + x * channels, fill.values, static_cast<size_t>(channels));
  sample.image = result.tensor();
  if (sample.mask.defined() && fill_mask >= 0) sample.mask = punched(sample.mask, holes, fill_mask);
}

void RandomErasing::check() const {
  check_range(kName, "scale", scale, 0, 1);
  check_range(kName, "ratio", ratio, 1e-3, 1e3);
  if (!std::isfinite(value)) throw Error(fmt::format("{}: expected a finite value, got {}", kName, value));
}

void RandomErasing::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Size2 size = size_of_image(sample);
  const bool bytes = sample.image.dtype() == DType::u8;
  if (!bytes && sample.image.dtype() != DType::f32)
    throw DTypeError(fmt::format("{}: expected an image of u8 or f32, got {}", kName, name_of(sample.image.dtype())));
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = static_cast<double>(size.h * size.w) * stream.uniform(scale.low, scale.high),
                 aspect = std::exp(stream.uniform(std::log(ratio.low), std::log(ratio.high)));
    const int64_t height = std::llrint(std::sqrt(area * aspect)), width = std::llrint(std::sqrt(area / aspect));
    if (height >= size.h || width >= size.w) continue;
    const int64_t top = stream.integer(size.h - height + 1), left = stream.integer(size.w - width + 1);
    Tensor result = clone(contiguous(sample.image));
    uint8_t* packed = bytes ? result.mutable_data<uint8_t>() : nullptr;
    float* floats = bytes ? nullptr : result.mutable_data<float>();
    const int64_t planes = bytes ? 1 : result.size(0), step = bytes ? result.size(2) : 1;
    for (int64_t c = 0; c < planes; ++c)
      for (int64_t y = top; y < top + height; ++y)
        for (int64_t i = left * step; i < (left + width) * step; ++i) {
          const int64_t at = (c * size.h + y) * size.w * step + i;
          if (bytes)
            packed[at] = random ? static_cast<uint8_t>(stream.bits() >> 24) : static_cast<uint8_t>(std::clamp(value, 0., 255.));
          else
            floats[at] = static_cast<float>(random ? stream.normal() : value);
        }
    sample.image = result;
    return;
  }
}

}  // namespace tapetum::data
