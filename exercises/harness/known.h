// The exercises that there are: as sources, and as what has been loaded.
#pragma once
#include <string>
#include <vector>

#include "exercises/harness/exercise.h"

namespace tapetum::exercises {

// A file exercises/<ladder>/<step>_<what>.cu. Its name is <ladder>-<step>, that of the ladder's step whose idea it trains.
struct Source {
  std::string name, ladder, file;  // "transpose-4", "transpose", "exercises/transpose/4_quarter_turn.cu"
  int step = 0;
  std::string task;  // its first line
  std::string idea;  // that of the step; empty where there is none
};
const std::vector<Source>& all_sources();            // by ladder and step
const Source* find_source(const std::string& name);  // null: there is none

std::string from_the_root(const std::string& file);  // what the compiler calls a file: absolute, or as seen from the tree

struct Loaded {
  std::string file;  // from the root of the sources
  Exercise exercise;
};
// Opens a library that exercises were compiled into. The one of `stem`, the name of its file without ".cu"; throws Error where there is none.
const Loaded& load(const std::string& library, const std::string& stem);

}  // namespace tapetum::exercises
