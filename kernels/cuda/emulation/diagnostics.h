// What the emulator says about a faulty kernel.
#pragma once
#include <string>
#include "kernels/cuda/emulation/block.h"

namespace tapetum::emulation {

// Ends the block of the running thread with this message.
[[noreturn]] void fail(Block& b, std::string message);
// No thread can run, or all that run have been spinning for too long.
[[noreturn]] void report_stuck(Block& b, bool spinning);

const char* op_name(Op op);
std::string describe(Loc at);                           // "(file:line)"
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
