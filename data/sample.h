// A picture with all that is known about it, which augmentation moves together.
#pragma once
#include "core/size2.h"
#include "core/tensor.h"

namespace tapetum::data {

// What becomes of boxes and keypoints when a picture is cropped or warped. Compose sets it for its steps.
struct TargetRules {
  double min_visibility = 0;            // part of a box that must be left inside the picture, else it is dropped
  double min_area = 0;                  // of what is left, square pixels
  bool drop_empty_boxes = false;        // boxes without area are dropped instead of being an error
  bool keep_outside_keypoints = false;  // keypoints that left the picture are kept, else dropped
};

// Undefined tensors are absent. Boxes are measured from the picture's edge, pixel i lies between i and i + 1; keypoints are measured
// from the first pixel's centre, as pixel indices are.
struct ImageSample {
  Tensor image;      // u8 [H, W, C] with C of 1, 3 or 4, until ToTensor or Normalize makes it f32 [C, H, W]
  Tensor mask;       // integers [H, W]
  Tensor boxes;      // f32 [N, 4]: left, top, right, bottom
  Tensor labels;     // i64 [N] of the boxes; without boxes of the picture, and left alone
  Tensor keypoints;  // f32 [K, 2]: x, y
  TargetRules rules = {};
  template <class S, class V> static void fields(S& s, V&& v) {
    v("image", s.image);
    v("mask", s.mask);
    v("boxes", s.boxes);
    v("labels", s.labels);
    v("keypoints", s.keypoints);
  }
};

// Throws ShapeError or DTypeError naming the field unless the sample is as above and its targets fit the image; a box without area or
// with a number that is not finite throws ShapeError naming it, unless the rules drop it.
void check_sample(const char* op, ImageSample& sample);
Size2 size_of_image(const ImageSample& sample);  // of either form

}  // namespace tapetum::data
