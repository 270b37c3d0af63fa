// The images that train_unet learns from and is judged on.
#pragma once
#include <string>
#include <vector>

#include "core/size2.h"
#include "data/dataset.h"
#include "examples/common/train_options.h"

namespace programs {

struct Sets {
  tapetum::data::ImageData train, val;  // images f32 [3, H, W] of options.size; only training images are augmented
  std::vector<std::string> classes;     // their names
  tapetum::Size2 source_size;           // of the first training image's file
};

Sets make_sets(const TrainOptions& options);

}  // namespace programs
