// 8-bit colour spaces as OpenCV defines them, for images of 3 channels. Other numbers of channels throw ShapeError.
#pragma once
#include "data/image.h"

namespace tapetum::data {

Image rgb_to_hsv(const Image& image);  // hue in 0..179, two degrees each; saturation and value in 0..255
Image hsv_to_rgb(const Image& image);
Image rgb_to_lab(const Image& image);  // CIE L*a*b* of sRGB under D65: L* 255 / 100, a* + 128, b* + 128
Image lab_to_rgb(const Image& image);

// Adds to hue (of 180), saturation and value; gray pixels stay gray. A gray image is shifted in value alone.
Image shift_hsv(const Image& image, double hue, double saturation, double value);

}  // namespace tapetum::data
