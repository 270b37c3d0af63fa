// Parts of images, borders around them, mirrored and turned ones: pixels are moved, none is computed.
#pragma once
#include <cstdint>

#include "core/size2.h"
#include "data/image.h"

namespace tapetum::data {

// Numbers of a pixel: one for each channel, of 0 to 255; the fourth is alpha.
struct Fill {
  uint8_t values[4] = {0, 0, 0, 0};
  Fill() = default;
  Fill(uint8_t all) : values{all, all, all, all} {}
  Fill(uint8_t r, uint8_t g, uint8_t b, uint8_t a = 255) : values{r, g, b, a} {}
};

// What lies beyond the border of "abcd": constant "kk|abcd|kk", replicate "aa|abcd|dd", reflect "cb|abcd|cb" (not on a side of one pixel,
// which is repeated), symmetric "ba|abcd|dc".
enum class Border : int64_t { constant, replicate, reflect, symmetric };
const char* name_of(Border border);
int64_t border_index(int64_t i, int64_t n, Border border);  // the element of 0..n-1 that stands at i; -1 for a constant

Image crop(const Image& image, int64_t top, int64_t left, Size2 size);  // throws ShapeError unless it lies within the image
Image center_crop(const Image& image, Size2 size);                      // torchvision's: what the image lacks is black, rounding is to even
Image pad(const Image& image, int64_t top, int64_t bottom, int64_t left, int64_t right, Border border = Border::constant, Fill fill = {});

Image flip_horizontal(const Image& image);  // left and right change places
Image flip_vertical(const Image& image);
Image transpose(const Image& image);                // rows become columns
Image rotate90(const Image& image, int64_t turns);  // quarter turns against the clock; any number

// The image as a viewer shows it, for an EXIF orientation: 1 as stored, 2 to 8 mirrored or turned. Throws Error for another number.
Image exif_transpose(const Image& image, int64_t orientation);

// The same for tensors [H, W] or [H, W, C] of any type, such as masks.
Tensor crop(const Tensor& map, int64_t top, int64_t left, Size2 size);
Tensor center_crop(const Tensor& map, Size2 size, int64_t value = 0);
Tensor pad(const Tensor& map, int64_t top, int64_t bottom, int64_t left, int64_t right, Border border = Border::constant, int64_t value = 0);
Tensor flip_horizontal(const Tensor& map);
Tensor flip_vertical(const Tensor& map);
Tensor transpose(const Tensor& map);
Tensor rotate90(const Tensor& map, int64_t turns);

}  // namespace tapetum::data
