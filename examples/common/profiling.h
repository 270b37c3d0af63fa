// --profile: a few steps of a program under the profiler, as a trace in a file and a table for people.
#pragma once
#include <optional>
#include <string>

#include "core/profiler.h"
#include "examples/common/command_line.h"

namespace programs {

// Which steps of a run are recorded, counted from 1: not so many that a long run would fill the memory with events.
struct ProfiledSteps {
  const char* name;  // of one: "step", "image"
  int64_t first, last;
};
constexpr ProfiledSteps kTrainingSteps{"step", 3, 8};  // the first two make state and fill caches
constexpr ProfiledSteps kImages{"image", 1, 8};

void add_profile(CommandLine& line, std::string& file, const ProfiledSteps& steps);

class Profiling {
 public:
  // An empty file: nothing is recorded. Throws IoError where it cannot be written: before the work.
  Profiling(const std::string& file, const ProfiledSteps& steps);

  // Runs f as the next step.
  template <class F> auto step(F f) {
    begin();
    auto result = [&] {
      const tapetum::profiler::Scope scope(steps_.name);
      return f();
    }();
    end();
    return result;
  }
  void finish();  // after the last step, of which there may have been fewer: writes the file, and the table to standard error

 private:
  void begin();
  void end();

  std::string file_;  // empty: none, or written already
  ProfiledSteps steps_;
  int64_t done_ = 0;
  std::optional<tapetum::profiler::Profile> profile_;
};

}  // namespace programs
