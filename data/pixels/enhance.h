// Brightness, contrast, saturation, sharpness and hue as Pillow's ImageEnhance and torchvision change them: a straight line from a plain
// picture (factor 0) through the image (factor 1) and beyond, rounded down. Alpha stays as it is. Factors must not be negative.
#pragma once
#include "data/image.h"

namespace tapetum::data {

Image adjust_brightness(const Image& image, double factor);  // from black
Image adjust_contrast(const Image& image, double factor);    // from the mean gray
Image adjust_saturation(const Image& image, double factor);  // from the gray picture
Image adjust_sharpness(const Image& image, double factor);   // from a smoothed picture
Image adjust_hue(const Image& image, double shift);          // turns by -0.5 to 0.5 of the circle, through Pillow's 8-bit HSV
Image grayscale(const Image& image);                         // ITU-R 601 luma in every colour channel

}  // namespace tapetum::data
