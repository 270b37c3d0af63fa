// Trains a classifier from scratch, on procedural pictures or on one's own: train_classifier --help
#include "examples/common/class_training.h"
#include "examples/common/command_line.h"

int main(int argc, char** argv) {
  return programs::run("train_classifier", argc, argv, [](int c, char** v) {
    programs::ClassOptions options;
    return programs::parse_train_classifier(options, c, v) ? programs::train_classifier(options) : 0;
  });
}
