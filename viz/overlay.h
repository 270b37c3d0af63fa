// A label map laid over its image: each class a translucent tint with a solid outline.
#pragma once
#include "core/tensor.h"
#include "viz/labels.h"

namespace tapetum::viz {

struct OverlayOptions {
  double opacity = 0.4;              // of the tint
  int64_t outline = 0;               // width in pixels, drawn inside each region; 0: by the image's size; negative: none
  int64_t ignore_index = kNoIgnore;  // hatched
  bool background = true;            // class 0 stays as it is
};

// u8 [H, W, 3] from image (as to_rgb takes it) and labels, integers [H, W]. Throws ShapeError, DTypeError.
Tensor overlay(const Tensor& image, const Tensor& labels, const OverlayOptions& options = {});

}  // namespace tapetum::viz
