// The flags of train_unet, read and checked.
#pragma once
#include <string>
#include <vector>

#include "core/size2.h"
#include "examples/common/recipe.h"

namespace programs {

struct TrainOptions : Recipe {
  std::string images, masks, val_images, val_masks;
  double val_fraction = 0.2;
  int64_t classes = 2, mask_threshold = -1, ignore_index = -100;
  std::string mask_colors;
  tapetum::Size2 size = 128;

  int64_t width = 16, depth = 4;
  bool checkpoint = false;
  std::string up = "transposed", weights;

  std::string loss = "ce", augment = "none";
  std::vector<double> class_weights;

  bool synthetic() const { return images.empty(); }
};

// False after --help was printed. Throws UsageError naming the flag and what it was given.
bool parse(TrainOptions& options, int argc, char** argv);

tapetum::train::Record to_record(const TrainOptions& options);  // config.json
tapetum::Metadata setup_of(const TrainOptions& options);        // what decides the result: the same when a run is resumed

}  // namespace programs
