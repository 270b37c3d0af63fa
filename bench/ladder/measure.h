// What a tree can tell about steps: counts of the emulator (counts.cpp), or times (times.cpp).
#pragma once
#include <string>
#include <vector>

#include "ladders/ladder.h"

namespace tapetum::bench {

// A column that is zero in all steps is not shown.
struct Cell {
  const char *key, *title;  // for programs, for people
  double value;
  int digits = 0;
};
// What lies beside a line of the step's own file: "global store 4      8192  32.0 (4.0)".
struct Note {
  int line;
  std::string text;
};
struct Measured {
  std::vector<Cell> cells;
  std::vector<Note> notes;
  std::string kernels = "[]";  // all that is counted, as ./run profile --json has it
};
// One for each of the steps, which are neighbours.
std::vector<Measured> measure(const ladders::Ladder& ladder, const std::vector<const ladders::Step*>& steps);
std::string subject(const ladders::Ladder& ladder);  // "counted at 512x512: 2.097 MB have to move"
const char* note_titles();                           // above the notes; empty: there are none
// Races and bad accesses, in words; empty: none. Throws Error in a tree that cannot tell.
std::string faults(const ladders::Ladder& ladder, const ladders::Step& step);

}  // namespace tapetum::bench
