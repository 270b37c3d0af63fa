// What belongs to pretrained weights besides their tensors: how images are prepared for them.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/serialization/safetensors.h"
#include "data/preprocess.h"

namespace tapetum::models {

struct Preset {
  const char* name;   // "imagenet"
  const char* about;  // whose weights want it
  data::Preprocess preprocess;
};

const std::vector<Preset>& presets();
const data::Preprocess& preset(const std::string& name);  // throws Error that lists the names

struct ChosenPreset {
  data::Preprocess preprocess;
  std::string reason;  // "from the file", "squeezenet_caffe: these weights are known", "imagenet: usual for resnet18"
};

// The file's own word ("preprocess" in its metadata) comes first; then known weights, by the CRC of a model's first parameter as f32; then what is
// usual for the model's name.
ChosenPreset preset_for(const std::string& model, const StateDict& weights, const Metadata& metadata);

uint32_t fingerprint(const StateDict& weights);  // CRC-32 of the first tensor's elements, as f32 in logical order

}  // namespace tapetum::models
