#include "data/pixels/tables.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace tapetum::data {
namespace {

template <class F> Table table_of(F f) {
  Table table;
  for (int i = 0; i < 256; ++i) table[static_cast<size_t>(i)] = static_cast<uint8_t>(f(i));
  return table;
}

Table same() {
  return table_of([](int i) { return i; });
}

// f(histogram of the channel) for each colour channel.
template <class F> Image by_channel(const Image& image, F f) {
  Table tables[3];
  for (int64_t c = 0; c < colour_channels(image); ++c) tables[c] = f(histogram(image, c));
  return apply_tables(image, tables);
}

// Takes `cut` pixels from the histogram's lower end (step 1) or upper end (step -1).
void take_end(std::array<int64_t, 256>& counts, int64_t cut, int step) {
  for (int i = step > 0 ? 0 : 255; i >= 0 && i < 256 && cut > 0; i += step) {
    int64_t& count = counts[static_cast<size_t>(i)];
    const int64_t taken = std::min(cut, count);
    count -= taken, cut -= taken;
  }
}

}  // namespace

int64_t colour_channels(const Image& image) { return std::min<int64_t>(image.channels(), 3); }

std::array<int64_t, 256> histogram(const Image& image, int64_t channel) {
  std::array<int64_t, 256> counts{}, odd{};  // two, since neighbours are often alike and would wait for each other
  const int64_t pixels = image.height() * image.width(), step = image.channels();
  const uint8_t* p = image.row(0) + channel;
  for (int64_t i = 0; i + 1 < pixels; i += 2, p += 2 * step) ++counts[p[0]], ++odd[p[step]];
  if (pixels % 2) ++counts[*p];
  for (size_t i = 0; i < 256; ++i) counts[i] += odd[i];
  return counts;
}

Image apply_tables(const Image& image, const Table* tables) {
  const int64_t channels = image.channels(), colours = colour_channels(image), n = image.tensor().numel();
  Image result(image.height(), image.width(), channels);
  const uint8_t* from = image.row(0);
  uint8_t* to = result.mutable_row(0);
  if (channels == 1) {
    for (int64_t i = 0; i < n; ++i) to[i] = tables[0][from[i]];
    return result;
  }
  for (int64_t i = 0; i < n; i += channels) {
    for (int64_t c = 0; c < colours; ++c) to[i + c] = tables[c][from[i + c]];
    if (channels == 4) to[i + 3] = from[i + 3];
  }
  return result;
}

Image apply_table(const Image& image, const Table& table) {
  const Table tables[] = {table, table, table};
  if (image.channels() == 4) return apply_tables(image, tables);
  Image result(image.height(), image.width(), image.channels());
  const uint8_t *from = image.row(0), *values = table.data();
  uint8_t* __restrict to = result.mutable_row(0);
  const int64_t n = image.tensor().numel();
  for (int64_t i = 0; i < n; ++i) to[i] = values[from[i]];
  return result;
}

Image invert(const Image& image) {
  return apply_table(image, table_of([](int i) { return 255 - i; }));
}

Image posterize(const Image& image, int64_t bits) {
  if (bits < 0 || bits > 8) throw Error(fmt::format("posterize: expected 0 to 8 bits, got {}", bits));
  return apply_table(image, table_of([&](int i) { return i & ~((1 << (8 - bits)) - 1); }));
}

Image solarize(const Image& image, int64_t threshold) {
  return apply_table(image, table_of([&](int i) { return i < threshold ? i : 255 - i; }));
}

Image equalize(const Image& image) {
  return by_channel(image, [](const std::array<int64_t, 256>& counts) {
    int64_t total = 0, last = 0, used = 0;
    for (const int64_t n : counts) {
      total += n;
      if (n) last = n, ++used;
    }
    const int64_t step = (total - last) / 255;
    if (used < 2 || step == 0) return same();
    int64_t sum = step / 2;
    return table_of([&](int i) {
      const int64_t value = std::min<int64_t>(sum / step, 255);
      sum += counts[static_cast<size_t>(i)];
      return value;
    });
  });
}

Image autocontrast(const Image& image, double cutoff) {
  if (!(cutoff >= 0 && cutoff < 50)) throw Error(fmt::format("autocontrast: expected a cutoff of 0 to 50 percent, got {}", cutoff));
  const auto cut = static_cast<int64_t>(static_cast<double>(image.height() * image.width()) * cutoff / 100);
  return by_channel(image, [&](std::array<int64_t, 256> counts) {
    take_end(counts, cut, 1);
    take_end(counts, cut, -1);
    int low = 0, high = 255;
    while (low < 256 && !counts[static_cast<size_t>(low)]) ++low;
    while (high >= 0 && !counts[static_cast<size_t>(high)]) --high;
    if (high <= low) return same();
    const double scale = 255.0 / (high - low), offset = -low * scale;
    return table_of([&](int i) { return std::clamp(static_cast<int>(i * scale + offset), 0, 255); });
  });
}

Image adjust_gamma(const Image& image, double gamma) {
  if (!(gamma > 0)) throw Error(fmt::format("adjust_gamma: expected a gamma above 0, got {}", gamma));
  return apply_table(image, table_of([&](int i) { return std::min(255, static_cast<int>(std::pow(i / 255., gamma) * 255)); }));
}

Image scale_values(const Image& image, double factor, double offset) {
  return apply_table(image, table_of([&](int i) { return std::lround(std::clamp(factor * i + offset, 0., 255.)); }));
}

}  // namespace tapetum::data
