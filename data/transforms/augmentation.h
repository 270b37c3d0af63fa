// Pipelines by name, for those who do not want to write one.
#pragma once
#include "data/transforms/pipeline.h"

namespace tapetum::data {

// For masks, borders mirrored, so that no new label appears: "none"; "light" mirrors left and right, moves a little and varies the light;
// "strong" also turns, scales, bends, blurs, adds noise and stands pictures on their heads. For photographs: "classification" gives 224 x 224
// pixels; "detection" keeps the size. They end before ToTensor. Any other name throws Error.
Transform augmentation(const std::string& name);
std::vector<std::string> augmentation_names();

}  // namespace tapetum::data
