// A photo with what a classifier takes it for: names and bars beneath it.
#pragma once
#include <string>
#include <vector>

#include "core/tensor.h"

namespace tapetum::viz {

struct TopClass {
  std::string name;
  double score;  // 0 to 1
};

// u8 [H', W', 3] from an image as to_rgb takes it, drawn 320 to 640 pixels wide. Throws ShapeError, DTypeError.
Tensor top_classes(const Tensor& image, const std::vector<TopClass>& classes);

}  // namespace tapetum::viz
