// What is wrong with an attempt at an exercise: the first thing that is, in the order in which a person would look.
#pragma once
#include <string>
#include <vector>

#include "exercises/harness/known.h"

namespace tapetum::exercises {

struct Place {
  std::string file;
  int line;
};

struct Verdict {
  std::string what;           // "race", "result", "bank conflicts", ...; empty: nothing is wrong
  std::string text;           // for people, lines that end in "\n"
  std::vector<Place> places;  // those that the text names
};

Verdict check(const Loaded& exercise);

// In a process of its own, so that what crashes or does not end has a verdict too.
Verdict check_apart(const Loaded& exercise);

}  // namespace tapetum::exercises
