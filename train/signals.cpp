#include "train/signals.h"

namespace tapetum::train {
namespace {

volatile std::sig_atomic_t requested = 0;

}  // namespace

InterruptGuard::InterruptGuard() {
  requested = 0;
  struct sigaction action {};
  action.sa_handler = [](int) { requested = 1; };
  action.sa_flags = SA_RESETHAND | SA_RESTART;  // the second one finds the default action
  sigaction(SIGINT, &action, &interrupt_);
  sigaction(SIGTERM, &action, &terminate_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &interrupt_, nullptr);
  sigaction(SIGTERM, &terminate_, nullptr);
}

bool interrupted() { return requested; }

}  // namespace tapetum::train
