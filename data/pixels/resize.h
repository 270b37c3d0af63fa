// Other sizes of 8-bit images, pixel for pixel what Pillow computes.
#pragma once
#include <cstdint>

#include "core/size2.h"
#include "data/image.h"

namespace tapetum::data {

// What is averaged for a new pixel: the pixel its centre falls into, or a window of this shape (half width 0.5, 1, 1, 2 and 3 pixels).
enum class Filter : int64_t { nearest, box, bilinear, hamming, bicubic, lanczos };
const char* name_of(Filter filter);

// Image.resize of Pillow 13: rows and columns one after the other, weights of 22 bits, rounded to 8 bits between; colours are weighted by
// their alpha.
// The window widens when the image shrinks; without `antialias` it does not, and the image goes on beyond its border with the border's
// pixels: PyTorch's interpolate (bicubic has a = -0.75 then). Throws ShapeError unless the size is 1 to 32,768 a side.
Image resize(const Image& image, Size2 size, Filter filter = Filter::bilinear, bool antialias = true);

// Filter::nearest for a tensor [H, W] of any type, such as a mask.
Tensor resize_nearest(const Tensor& map, Size2 size);

}  // namespace tapetum::data
