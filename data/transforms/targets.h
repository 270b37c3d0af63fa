// What the transforms that move pixels share: image, mask, boxes and keypoints follow one map.
#pragma once
#include "data/image.h"
#include "data/pixels/resize.h"
#include "data/pixels/warp.h"
#include "data/sample.h"

namespace tapetum::data {

// The sample's picture; throws DTypeError, after ToTensor too. A step that moves pixels checks the targets as well.
Image image_of(const char* op, const ImageSample& sample);
Image checked_image_of(const char* op, ImageSample& sample);

// Boxes and keypoints by a map from old to new pixel centres, then clipped to the new size and dropped as the rules say.
void move_targets(ImageSample& sample, const Projection& old_to_new, Size2 size);
// The same for a map that is known from new to old places only: a box becomes what covers all pixels that come from it.
void move_targets(ImageSample& sample, const PixelMap& map);

// The sample cropped, resized, or taken from a map. Masks take the nearest label.
void crop_sample(ImageSample& sample, const Image& image, int64_t top, int64_t left, Size2 size);
void resize_sample(ImageSample& sample, const Image& image, Size2 size, Filter filter);
struct Padding4 {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
};
void pad_sample(ImageSample& sample, const Image& image, const Padding4& by, Border border, Fill fill, int64_t fill_mask);

struct WarpOptions {
  Sampling interpolation = Sampling::bilinear;
  Border border_mode = Border::constant;
  Fill fill = {};
  int64_t fill_mask = 0;
};
void warp_sample(ImageSample& sample, const Image& image, const Projection& old_to_new, Size2 size, const WarpOptions& options);
void warp_sample(ImageSample& sample, const Image& image, const PixelMap& map, const WarpOptions& options);

}  // namespace tapetum::data
