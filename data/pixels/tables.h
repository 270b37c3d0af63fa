// Changes of each value by itself, through a table: Pillow's ImageOps and gamma curves. Alpha stays as it is.
#pragma once
#include <array>
#include <cstdint>

#include "data/image.h"

namespace tapetum::data {

using Table = std::array<uint8_t, 256>;  // the new value of each old one

int64_t colour_channels(const Image& image);  // without alpha: 1 or 3
std::array<int64_t, 256> histogram(const Image& image, int64_t channel);
Image apply_table(const Image& image, const Table& table);
Image apply_tables(const Image& image, const Table* tables);  // one for each colour channel

Image invert(const Image& image);
Image posterize(const Image& image, int64_t bits);                     // keeps the highest 0 to 8 bits
Image solarize(const Image& image, int64_t threshold);                 // inverts values from the threshold on: 0 inverts all, 256 none
Image equalize(const Image& image);                                    // each channel's histogram as flat as a table can make it
Image autocontrast(const Image& image, double cutoff = 0);             // each channel to 0..255; `cutoff` percent at either end are left out
Image adjust_gamma(const Image& image, double gamma);                  // 255 (v / 255)^gamma, rounded down, as Albumentations does
Image scale_values(const Image& image, double factor, double offset);  // factor v + offset, rounded and kept within 0..255

}  // namespace tapetum::data
