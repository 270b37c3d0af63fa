// The transforms that files can name.
#pragma once
#include "data/transforms/pipeline.h"

namespace tapetum::data {

struct RegisteredTransform {
  const char* name;
  Transform (*read)(OptionVisitor& options);  // one whose options the visitor sets; throws for options that make no sense
};
const std::vector<RegisteredTransform>& registered_transforms();  // in alphabetical order

}  // namespace tapetum::data
