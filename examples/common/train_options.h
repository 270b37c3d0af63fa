// The flags of train_unet, read and checked.
#pragma once
#include <string>
#include <vector>

#include "core/serialization/safetensors.h"
#include "core/size2.h"
#include "train/record.h"

namespace programs {

struct TrainOptions {
  std::string images, masks, val_images, val_masks;
  double val_fraction = 0.2;
  int64_t classes = 2, mask_threshold = -1, ignore_index = -100;
  std::string mask_colors;
  tapetum::Size2 size = 128;

  int64_t width = 16, depth = 4;
  std::string up = "transposed", weights;

  int64_t epochs = 20, steps = 0, batch_size = 4, warmup = 0;
  double lr = 3e-3, weight_decay = 0;
  std::string optimizer = "adam", schedule = "onecycle", loss = "ce", augment = "none";
  std::vector<double> class_weights;

  int64_t threads = 0, workers = 2, seed = 0;
  std::string device = "auto";

  std::string out, json;
  bool resume = false, quiet = false;

  bool synthetic() const { return images.empty(); }
};

// False after --help was printed. Throws UsageError naming the flag and what it was given.
bool parse(TrainOptions& options, int argc, char** argv);

tapetum::train::Record to_record(const TrainOptions& options);  // config.json
tapetum::Metadata setup_of(const TrainOptions& options);        // what decides the result: the same when a run is resumed

}  // namespace programs
