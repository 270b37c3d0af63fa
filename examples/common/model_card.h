// What a trained segmentation model's file says about itself, so that it can be applied without the flags it was trained with.
#pragma once
#include <string>
#include <vector>

#include "core/serialization/safetensors.h"
#include "core/size2.h"
#include "models/unet.h"

namespace programs {

struct ModelCard {
  tapetum::models::UNetOptions unet;
  tapetum::Size2 size = 128;            // of the training images, pixels
  tapetum::Size2 source_size = 128;     // what they had before they were resized to `size`: a new image is scaled by the same factor
  double mean = 0.5, deviation = 0.25;  // of all channels: (x - mean) / deviation, x from 0 to 1
  std::vector<std::string> classes;     // their names
};

tapetum::Metadata to_metadata(const ModelCard& card);
ModelCard card_of(const std::string& path, const tapetum::Metadata& metadata);  // throws FormatError naming the file and the key

// model.load_state_dict(), with the file's name in its errors.
void load_weights(tapetum::models::UNet& model, const tapetum::StateDict& weights, const std::string& path);

// [3, H, W] or [N, 3, H, W], 0 to 1 -> what the model was trained on.
tapetum::Tensor normalise(const tapetum::Tensor& image, const ModelCard& card);

}  // namespace programs
