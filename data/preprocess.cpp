#include "data/preprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "data/codec.h"
#include "data/pixels/clones.h"
#include "data/pixels/geometry.h"

namespace tapetum::data {
namespace {

constexpr const char* kOrders[] = {"rgb", "bgr", "gray"};
constexpr const char* kRoundings[] = {"torchvision", "nearest"};

Image resized(const Image& image, const Preprocess& p) {
  if (p.resize == 0) return resize(image, p.crop, p.interpolation);
  const int64_t h = image.height(), w = image.width(), shorter = std::min(h, w), longer = std::max(h, w);
  const int64_t other = (p.resize * longer + (p.rounding == Rounding::nearest ? shorter / 2 : 0)) / shorter;
  if (other > kMaxSide)
    throw ShapeError(fmt::format("preprocess: an image of {} x {} pixels is too long: its longer side would become {}, more than {}; cut it first", w,
                                 h, other, kMaxSide));
  return resize(image, h <= w ? Size2(p.resize, other) : Size2(other, p.resize), p.interpolation);
}

Image cropped(const Image& image, const Preprocess& p) {
  const int64_t h = image.height() - p.crop.h, w = image.width() - p.crop.w;
  return p.rounding == Rounding::nearest && h >= 0 && w >= 0 ? crop(image, h / 2, w / 2, p.crop) : center_crop(image, p.crop);
}

void check(const Preprocess& p) {
  if (p.resize < 0 || p.crop.h < 1 || p.crop.w < 1)
    throw ShapeError(fmt::format("preprocess: sizes must be positive, got resize {} and crop {} x {}", p.resize, p.crop.h, p.crop.w));
  for (double s : p.std)
    if (!(s > 0)) throw ShapeError(fmt::format("preprocess: expected deviations above 0, got {}", s));
}

// to[i] = (from[step * i] - mean) * scale, for i < n. The step is known where a function of this is called.
inline __attribute__((always_inline)) void normalize(const uint8_t* __restrict from, int64_t step, float mean, float scale, float* __restrict to,
                                                     int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = (static_cast<float>(from[step * i]) - mean) * scale;
}
TAPETUM_PIXEL_LOOP void normalize_gray(const uint8_t* from, float mean, float scale, float* to, int64_t n) { normalize(from, 1, mean, scale, to, n); }
TAPETUM_PIXEL_LOOP void normalize_colour(const uint8_t* from, float mean, float scale, float* to, int64_t n) {
  normalize(from, 3, mean, scale, to, n);
}

template <class T> T number(const std::string& what, std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw FormatError(fmt::format("preprocess: {}: expected a number, got '{}'", what, text));
  return value;
}

std::array<double, 3> three(const std::string& what, std::string_view text) {
  std::array<double, 3> values{};
  for (size_t i = 0; i < 3; ++i) {
    const size_t comma = text.find(',');
    if ((comma == text.npos) != (i == 2)) throw FormatError(fmt::format("preprocess: {}: expected three numbers and commas", what));
    values[i] = number<double>(what, text.substr(0, comma));
    text.remove_prefix(std::min(text.size(), comma + (comma != text.npos)));
  }
  return values;
}

}  // namespace

Tensor preprocess(const Image& image, const Preprocess& p) {
  check(p);
  const int64_t channels = p.channels();
  const Image input = cropped(resized(convert_channels(image, static_cast<int>(channels)), p), p);
  Tensor result = empty({channels, input.height(), input.width()});
  auto* to = result.mutable_data<float>();
  const int64_t pixels = input.height() * input.width();
  for (int64_t c = 0; c < channels; ++c) {
    const auto from = static_cast<size_t>(p.order == ChannelOrder::bgr ? 2 - c : c);
    const auto mean = static_cast<float>(p.mean[from]), scale = static_cast<float>(1 / p.std[from]);
    (channels == 1 ? normalize_gray : normalize_colour)(input.row(0) + from, mean, scale, to + c * pixels, pixels);
  }
  return result;
}

Filter filter_of(const std::string& name) {
  std::string names;
  for (const Filter f : {Filter::nearest, Filter::box, Filter::bilinear, Filter::hamming, Filter::bicubic, Filter::lanczos}) {
    if (name == name_of(f)) return f;
    names += (names.empty() ? "" : ", ") + std::string(name_of(f));
  }
  throw FormatError(fmt::format("interpolation '{}' is none of {}", name, names));
}

ChannelOrder channel_order_of(const std::string& name) {
  for (const ChannelOrder order : {ChannelOrder::rgb, ChannelOrder::bgr, ChannelOrder::gray})
    if (name == kOrders[static_cast<int>(order)]) return order;
  throw FormatError(fmt::format("channel order '{}' is none of {}", name, fmt::join(kOrders, ", ")));
}

std::string to_string(const Preprocess& p) {
  return fmt::format("resize={} crop={}x{} interpolation={} mean={} std={} order={} rounding={}", p.resize, p.crop.h, p.crop.w,
                     name_of(p.interpolation), fmt::join(p.mean, ","), fmt::join(p.std, ","), kOrders[static_cast<int>(p.order)],
                     kRoundings[static_cast<int>(p.rounding)]);
}

Preprocess parse_preprocess(const std::string& text) {
  Preprocess p;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size()), equals = text.find('=', at);
    if (equals == text.npos || equals > end) throw FormatError(fmt::format("preprocess: expected name=value, got '{}'", text.substr(at, end - at)));
    const std::string name = text.substr(at, equals - at), value = text.substr(equals + 1, end - equals - 1);
    if (name == "resize")
      p.resize = number<int64_t>(name, value);
    else if (name == "crop")
      p.crop = {number<int64_t>(name, value.substr(0, value.find('x'))), number<int64_t>(name, value.substr(value.find('x') + 1))};
    else if (name == "interpolation")
      p.interpolation = filter_of(value);
    else if (name == "mean")
      p.mean = three(name, value);
    else if (name == "std")
      p.std = three(name, value);
    else if (name == "order")
      p.order = channel_order_of(value);
    else if (name == "rounding" && (value == kRoundings[0] || value == kRoundings[1]))
      p.rounding = value == kRoundings[0] ? Rounding::torchvision : Rounding::nearest;
    else
      throw FormatError(fmt::format("preprocess: '{}={}' is unknown", name, value));
    at = end + 1;
  }
  check(p);
  return p;
}

}  // namespace tapetum::data
