// The pictures that a classifier learns from and is judged on.
#pragma once
#include <string>
#include <vector>

#include "data/classification.h"
#include "data/preprocess.h"
#include "examples/common/class_options.h"

namespace programs {

struct ClassSets {
  tapetum::data::ClassificationData train, val;  // u8
  std::vector<std::string> classes;
  std::vector<std::string> skipped;  // files that were left out, with their reasons
};

ClassSets make_class_sets(const ClassOptions& options);

// How pictures of this kind are prepared for a model that begins from nothing: `own` is the model's size, `channels` what it takes.
tapetum::data::Preprocess preprocess_for(const ClassOptions& options, tapetum::Size2 own);

}  // namespace programs
