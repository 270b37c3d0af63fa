// The flags of train_classifier and finetune, read and checked.
#pragma once
#include <map>
#include <string>

#include "examples/common/recipe.h"

namespace programs {

struct ClassOptions : Recipe {
  std::string program;  // "train_classifier" or "finetune"

  std::string data, root, val_root, csv_file = "file", csv_label = "label";
  double val_fraction = 0.2;
  std::string split = "class";
  bool hold_out = false, skip_broken = false;
  tapetum::Size2 size = 0;  // 0: as the data or the weights want

  std::string model, weights, key, freeze = "none";
  bool checkpoint = false;
  double dropout = -1, drop_path = -1;
  std::map<std::string, double> group_lr;  // of finetune: prefix of parameters' names -> rate; "head" is the classifier

  std::string augment = "none";
  double label_smoothing = 0, mixup = 0, cutmix = 0;
  int64_t patience = 0;
  bool find_lr = false;
};

// False after --help was printed. Throws UsageError naming the flag and what it was given.
bool parse_train_classifier(ClassOptions& options, int argc, char** argv);
bool parse_finetune(ClassOptions& options, int argc, char** argv);

tapetum::train::Record to_record(const ClassOptions& options);  // config.json
tapetum::Metadata setup_of(const ClassOptions& options);        // what decides the result: the same when a run is resumed

}  // namespace programs
