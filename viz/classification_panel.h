// A contact sheet of classified images: what each is said to be, how surely, and whether that is right.
#pragma once
#include <string>
#include <vector>

#include "core/tensor.h"

namespace tapetum::viz {

struct ClassifiedImage {
  Tensor image;            // u8 [H, W, C], or f32 [C, H, W] in [0, 1], C = 1, 3 or 4; sizes may differ
  std::string predicted;   // name of the class
  std::string truth = {};  // empty: not known, and not marked
  double score = 0;        // the prediction's probability; NaN: not shown
};

struct ClassificationPanelOptions {
  std::string title = "Classification", subtitle = {};  // no subtitle: how many are right, where the truth is known
  int64_t columns = 0;                                  // 0: as suits their number, at most 8
  double cell = 128;                                    // side of a picture, before `scale`
  double scale = 1;
};

// u8 [H, W, 3]; a wrong one has a red frame and says what it truly is. Without images it is the title. Throws ShapeError, DTypeError for what is
// no image, Error for options that make no sense.
Tensor classification_panel(const std::vector<ClassifiedImage>& images, const ClassificationPanelOptions& options = {});

}  // namespace tapetum::viz
