// Trains a classifier as the flags say, and leaves its run's folder: the common body of train_classifier and finetune.
#pragma once
#include "examples/common/class_options.h"

namespace programs {

int train_classifier(const ClassOptions& options);  // the program's exit code

}  // namespace programs
