// A classifier with its weights, as files and flags describe it: what classify, train_classifier and finetune share.
#pragma once
#include <string>
#include <vector>

#include "core/serialization/weights.h"
#include "data/preprocess.h"
#include "models/create.h"
#include "nn/state_match.h"

namespace programs {

struct ClassifierSource {
  std::string model;    // a name of models::list(); may be empty when the file says it
  std::string weights;  // a file
  std::string key;      // of a checkpoint's part
};

struct LoadedClassifier {
  std::string name;
  tapetum::nn::Box<tapetum::models::Classifier> model;  // with the weights, in evaluation
  int64_t classes;
  tapetum::data::Preprocess preprocess;
  std::string preset_reason;        // where `preprocess` comes from
  std::vector<std::string> labels;  // of the file; empty where it has none
  std::vector<std::string> notes;   // what was done on the way
};

// Number of classes and channels are read off the file. Throws Error in one line that says what else the weights fit, when they do not fit the model.
LoadedClassifier load_classifier(const ClassifierSource& source);

// A model whose number of classes and channels are those of the weights, where the options leave them open; its own values are not set.
tapetum::nn::Box<tapetum::models::Classifier> model_for(const std::string& name, tapetum::StateDict weights,
                                                        const tapetum::models::CreateOptions& options);

// How weights fit a model after its adapt().
tapetum::nn::StateMatch adapted_match(tapetum::models::Classifier& model, tapetum::StateDict weights, size_t most);

// Names of models that have exactly these tensors.
std::vector<std::string> models_that_fit(const tapetum::StateDict& weights);

// One name a line, or columns separated by tabs, of which the last is the name. Throws FormatError unless there are `classes` names.
std::vector<std::string> read_labels_file(const std::string& path, int64_t classes);

// What a classifier's file says about itself besides the tensors.
tapetum::Metadata classifier_metadata(const std::string& model, const std::vector<std::string>& labels, const tapetum::data::Preprocess& preprocess);

}  // namespace programs
