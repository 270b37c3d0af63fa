// What the emulator says about a faulty kernel.
#pragma once
#include <fmt/core.h>
#include <string>
#include "kernels/cuda/emulation/block.h"

template <> struct fmt::formatter<tapetum::emulation::Loc> {  // (file:line)
  constexpr auto parse(format_parse_context& c) { return c.begin(); }
  auto format(tapetum::emulation::Loc at, format_context& c) const {
    return at.file ? fmt::format_to(c.out(), "({}:{})", at.file, at.line) : c.out();
  }
};

namespace tapetum::emulation {

// To TSan, what follows is no longer done by the CUDA thread.
void leave_thread(Block& b);
[[noreturn]] void fail_with(Block& b, std::string message);

// Ends the block of the running thread with this message. What its callers hold is never destroyed, so they hold no strings.
template <class... A> [[noreturn]] void fail(Block& b, fmt::format_string<A...> message, A&&... arguments) {
  leave_thread(b);
  fail_with(b, fmt::format(message, std::forward<A>(arguments)...));
}
// No thread can run, or all that run have been spinning for too long.
[[noreturn]] void report_stuck(Block& b, bool spinning);

const char* op_name(Op op);
std::string place_of(const Block& b, unsigned thread);  // "kernel softmax<float>, block (0,0,0) thread (5,0,0)"

// While one exists, a crash first names the CUDA thread in which it happened; then what the program had installed takes over.
class CrashReports {
 public:
  CrashReports();
  ~CrashReports();
  CrashReports(const CrashReports&) = delete;
};
// For this OS thread, since the stack of a CUDA thread may be what overflowed.
void provide_signal_stack();

}  // namespace tapetum::emulation
