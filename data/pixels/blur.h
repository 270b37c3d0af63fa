// Neighbourhoods: smoothing, medians and any small kernel, as OpenCV computes them. The border is mirrored at the outermost pixel's centre
// (Border::reflect); every channel is treated alike. The inputs' sizes may be smaller than the kernel's.
#pragma once
#include <vector>

#include "data/image.h"

namespace tapetum::data {

// Weights of 8 bits, as OpenCV's GaussianBlur has them; `size` is odd, 0: 6 sigma + 1, made odd. Throws Error unless sigma > 0.
Image gaussian_blur(const Image& image, double sigma, int64_t size = 0);

// The middle value of size x size pixels; the border is repeated. Size: odd, 3 to 15.
Image median_blur(const Image& image, int64_t size);

// Correlation of rows and of columns with the same weights, an odd number of them; in f32, rounded at the end: OpenCV's sepFilter2D.
Image filter_separable(const Image& image, const std::vector<float>& weights);

// Correlation with `kernel`, size x size numbers by rows, size odd; rounded and kept within 0..255.
Image filter_image(const Image& image, const std::vector<float>& kernel, int64_t size);

}  // namespace tapetum::data
