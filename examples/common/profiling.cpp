#include "examples/common/profiling.h"

#include <fmt/core.h>

#include "examples/common/json_output.h"

namespace programs {

void add_profile(CommandLine& line, std::string& file, const ProfiledSteps& steps) {
  line.add(
      "--profile", file, "FILE",
      fmt::format("Record {}s {} to {}: a trace for ui.perfetto.dev in FILE, and a table on standard error", steps.name, steps.first, steps.last));
}

Profiling::Profiling(const std::string& file, const ProfiledSteps& steps) : file_(file), steps_(steps) { check_writable(file); }

void Profiling::begin() {
  if (!file_.empty() && done_ + 1 == steps_.first) profile_.emplace();
}

void Profiling::end() {
  if (++done_ == steps_.last) finish();
}

void Profiling::finish() {
  if (file_.empty()) return;
  if (profile_) {
    profile_->export_chrome_trace(file_);
    fmt::print(stderr, "{}", profile_->table());
    profile_.reset();
  } else {
    fmt::print(stderr, "--profile: the run ended before its {} {}, so that {} was not written\n", steps_.name, steps_.first, file_);
  }
  file_.clear();
}

}  // namespace programs
