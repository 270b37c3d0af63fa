// Classifiers by name: create("resnet18", {.classes = 10}). The names are torchvision's, or timm's where torchvision has none.
#pragma once
#include <string>
#include <vector>

#include "core/size2.h"
#include "models/classifier.h"
#include "nn/containers.h"

namespace tapetum::models {

struct CreateOptions {
  int64_t classes = 0;                  // 0: as many as the original weights have
  int64_t in_channels = 3;              // also of those that were made for grey images
  Size2 image_size = 0;                 // 0: the architecture's own; those that take any size do not need it
  double dropout = -1, drop_path = -1;  // below 0: the architecture's own; one that has none ignores it
};

// Throws Error that lists the nearest names for one that is unknown.
nn::Box<Classifier> create(const std::string& name, const CreateOptions& options = {});

struct ModelEntry {
  const char* name;
  const char* family;  // models/<family>.h
  int64_t classes;     // of the original weights
  Size2 image_size;    // they were trained on
  const char* source;  // the paper
};

const std::vector<ModelEntry>& list();  // every name that create() knows

}  // namespace tapetum::models
