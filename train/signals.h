// Ctrl-C as a request: while a guard lives, the first SIGINT or SIGTERM sets a flag and the second one ends the process.
#pragma once
#include <csignal>

namespace tapetum::train {

class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction interrupt_, terminate_;  // what stood before
};

bool interrupted();  // since the last guard was made

}  // namespace tapetum::train
