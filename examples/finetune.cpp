// Trains a classifier that begins with pretrained weights: finetune --help
#include "examples/common/class_training.h"
#include "examples/common/command_line.h"

int main(int argc, char** argv) {
  return programs::run("finetune", argc, argv, [](int c, char** v) {
    programs::ClassOptions options;
    return programs::parse_finetune(options, c, v) ? programs::train_classifier(options) : 0;
  });
}
