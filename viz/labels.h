// Images and label maps as pictures: shared by panel and overlay.
#pragma once
#include "core/tensor.h"
#include "viz/color.h"

namespace tapetum::viz {

constexpr int64_t kNoIgnore = INT64_MIN;  // an ignore index that no label has

// An image as u8 [H, W, 3], from u8 [H, W, C], which may share its pixels, or f32 [C, H, W] with values in [0, 1]; C is 1, 3 or 4,
// alpha is dropped. Throws ShapeError, DTypeError.
Tensor to_rgb(const Tensor& image);

// A label map [H, W] of any integer type as contiguous i64; throws ShapeError, naming `what`, when it is not `height` x `width`.
Tensor to_labels(const char* what, const Tensor& labels, int64_t height, int64_t width);

// A label map, i64 [H, W], painted with class_color; pixels of ignore_index are hatched, with stripes `period` pixels apart.
Tensor paint_labels(const Tensor& labels, int64_t ignore_index, double period);

Color hatch_color(int64_t x, int64_t y, double period);

}  // namespace tapetum::viz
