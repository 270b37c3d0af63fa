// The classifier of a training run: new, or begun with pretrained weights, all of it learning or the last layer alone.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "data/preprocess.h"
#include "examples/common/class_sets.h"
#include "models/create.h"

namespace programs {

struct ClassModel {
  std::string name;
  tapetum::nn::Box<tapetum::models::Classifier> model;
  tapetum::data::Preprocess preprocess;
  std::vector<std::string> notes;  // what was done on the way

  std::string head() const { return std::string(model->classifier_name()) + '.'; }  // the prefix of the last layer's parameters
};

// Throws Error in one line when the weights do not fit.
ClassModel make_class_model(const ClassOptions& options, const ClassSets& sets);

// Parameters in groups by their rates: the longest prefix of --lr-NAME that a name begins with counts, "head" is the last layer's. A rate of 0
// freezes. Throws UsageError for a prefix that no name begins with.
std::vector<RatedParameters> rated_parameters(const ClassOptions& options, ClassModel& m);

}  // namespace programs
