#include "data/pixels/clahe.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "data/pixels/colour_space.h"
#include "data/pixels/geometry.h"
#include "data/pixels/tables.h"

namespace tapetum::data {
namespace {

// What exceeds the limit is spread evenly over all values, the remainder over values far apart.
void clip_counts(std::array<int64_t, 256>& counts, int64_t limit) {
  int64_t excess = 0;
  for (int64_t& n : counts)
    if (n > limit) excess += n - limit, n = limit;
  int64_t rest = excess % 256;
  for (int64_t& n : counts) n += excess / 256;
  if (rest == 0) return;
  const int64_t step = std::max<int64_t>(256 / rest, 1);
  for (int64_t i = 0; i < 256 && rest > 0; i += step, --rest) ++counts[static_cast<size_t>(i)];
}

struct Tiles {
  Size2 grid, size;
  std::vector<Table> tables;
};

Tiles tables_of(const Image& gray, double clip_limit, Size2 grid) {
  const int64_t h = gray.height(), w = gray.width();
  const bool fits = h % grid.h == 0 && w % grid.w == 0;
  const Image large = fits ? gray : pad(gray, 0, grid.h - h % grid.h, 0, grid.w - w % grid.w, Border::reflect);
  Tiles tiles{grid, {large.height() / grid.h, large.width() / grid.w}, {}};
  const int64_t area = tiles.size.h * tiles.size.w, limit = std::max<int64_t>(1, static_cast<int64_t>(clip_limit * static_cast<double>(area) / 256));
  const float scale = 255.f / static_cast<float>(area);
  for (int64_t ty = 0; ty < grid.h; ++ty)
    for (int64_t tx = 0; tx < grid.w; ++tx) {
      auto counts = histogram(crop(large, ty * tiles.size.h, tx * tiles.size.w, tiles.size), 0);
      if (clip_limit > 0) clip_counts(counts, limit);
      Table& table = tiles.tables.emplace_back();
      int64_t sum = 0;
      for (size_t i = 0; i < 256; ++i) {
        sum += counts[i];
        table[i] = static_cast<uint8_t>(std::lrint(std::min(static_cast<float>(sum) * scale, 255.f)));
      }
    }
  return tiles;
}

// For a row or column of pixels: the two tiles around it and how far it is towards the second.
struct Place {
  size_t first, second;
  float part;
};
std::vector<Place> places(int64_t pixels, int64_t tile, int64_t count) {
  std::vector<Place> result;
  for (int64_t i = 0; i < pixels; ++i) {
    const float at = static_cast<float>(i) * (1.f / static_cast<float>(tile)) - 0.5f, whole = std::floor(at);
    const auto first = static_cast<int64_t>(whole);
    result.push_back({static_cast<size_t>(std::max<int64_t>(first, 0)), static_cast<size_t>(std::min(first + 1, count - 1)), at - whole});
  }
  return result;
}

Image equalize_tiles(const Image& gray, double clip_limit, Size2 grid) {
  const Tiles tiles = tables_of(gray, clip_limit, grid);
  const auto ys = places(gray.height(), tiles.size.h, grid.h), xs = places(gray.width(), tiles.size.w, grid.w);
  Image result(gray.height(), gray.width(), 1);
  for (int64_t y = 0; y < gray.height(); ++y) {
    const Place& py = ys[static_cast<size_t>(y)];
    const Table *above = tiles.tables.data() + py.first * static_cast<size_t>(grid.w),
                *below = tiles.tables.data() + py.second * static_cast<size_t>(grid.w);
    const uint8_t* from = gray.row(y);
    uint8_t* to = result.mutable_row(y);
    for (int64_t x = 0; x < gray.width(); ++x) {
      const Place& px = xs[static_cast<size_t>(x)];
      const uint8_t v = from[x];
      const float upper = above[px.first][v] * (1 - px.part) + above[px.second][v] * px.part,
                  lower = below[px.first][v] * (1 - px.part) + below[px.second][v] * px.part;
      to[x] = static_cast<uint8_t>(std::lrint(upper * (1 - py.part) + lower * py.part));
    }
  }
  return result;
}

void put_channel(Image& image, int64_t channel, const uint8_t* values, int64_t step) {
  uint8_t* to = image.mutable_row(0) + channel;
  for (int64_t i = 0; i < image.height() * image.width(); ++i) to[i * image.channels()] = values[i * step];
}

}  // namespace

Image clahe(const Image& image, double clip_limit, Size2 grid) {
  if (grid.h < 1 || grid.w < 1 || grid.h > 256 || grid.w > 256)
    throw ShapeError(fmt::format("clahe: expected a grid of 1 to 256 tiles a side, got {} x {}", grid.h, grid.w));
  if (image.channels() == 1) return equalize_tiles(image, clip_limit, grid);
  Image lab = rgb_to_lab(convert_channels(image, 3));
  Image light(image.height(), image.width(), 1);
  put_channel(light, 0, lab.row(0), 3);
  put_channel(lab, 0, equalize_tiles(light, clip_limit, grid).row(0), 1);
  Image result = convert_channels(lab_to_rgb(lab), static_cast<int>(image.channels()));
  if (image.channels() == 4) put_channel(result, 3, image.row(0) + 3, 4);
  return result;
}

}  // namespace tapetum::data
