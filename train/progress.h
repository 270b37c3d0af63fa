// How far a run is: one live line on a terminal; elsewhere one line after each epoch and now and then within a long one.
// Colours follow NO_COLOR and TERM=dumb.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace tapetum::train {

struct ProgressState {
  int64_t epoch = 0, epochs = 0;  // from 1
  int64_t step = 0, steps = 0;    // of the whole run
  double loss = 0;                // mean of this epoch so far
  double images_per_second = 0;
  double seconds_left = 0;
};

class Progress {
 public:
  explicit Progress(std::FILE* out = stdout, bool quiet = false);
  ~Progress();

  void update(const ProgressState& state);                                // after each step; draws at most ten times a second
  void epoch(const ProgressState& state, const std::string& validation);  // an epoch's lasting line; "val 0.31  mIoU 0.912"
  void message(const std::string& text);                                  // a line of its own

 private:
  void clear();
  std::string bold(const std::string& text) const;

  std::FILE* out_;
  bool quiet_, live_, color_;
  bool drawn_ = false;  // the live line is on the screen
  std::chrono::steady_clock::time_point last_;
};

std::string format_duration(double seconds);  // "42s", "3m05s", "2h07m"

}  // namespace tapetum::train
