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
  tapetum::Size2 size = 128;         // of the training images, pixels
  tapetum::Size2 source_size = 128;  // what they had before they were resized to `size`: a new image is scaled by the same factor
  std::vector<std::string> classes;  // their names
};

tapetum::Metadata to_metadata(const ModelCard& card);
ModelCard card_of(const std::string& path, const tapetum::Metadata& metadata);  // throws FormatError naming the file and the key

// model.load_state_dict(), with the file's name in its errors.
void load_weights(tapetum::models::UNet& model, const tapetum::StateDict& weights, const std::string& path);

// Mean and deviation of each image of [N, 3, H, W], over all its channels and pixels: [N, 1, 1, 1].
struct Moments {
  tapetum::Tensor mean, deviation;
};
Moments moments(const tapetum::Tensor& images);

// Each image by its own moments: how bright it is and how much contrast it has does not matter.
tapetum::Tensor normalise(const tapetum::Tensor& images, const Moments& m);
inline tapetum::Tensor normalise(const tapetum::Tensor& images) { return normalise(images, moments(images)); }

}  // namespace programs
