// What a test may ask of the emulator. Each field starts with the value of an environment variable: README.md.
#pragma once
#include <cstddef>
#include <string>

namespace tapetum::emulation {

enum class Schedule { forward, reverse, random };

struct Config {
  Schedule schedule = Schedule::forward;  // the order of threads and blocks
  unsigned seed = 1;                      // of the random schedule
  unsigned devices = 1;                   // as many as cudaGetDeviceCount tells
  unsigned threads = 0;                   // OS threads that run blocks; 0: as many as processors
  bool lazy_async = true;                 // cp.async, TMA and wgmma complete as late as PTX allows
  bool lazy_streams = false;              // work on a stream runs only at a synchronisation
  bool poison = true;                     // shared memory and what cudaMalloc returns start as NaN
  bool guard_device_memory = false;       // host access to device memory faults
  bool abort_on_error = false;            // abort() where a fault is found, for a debugger
  bool quiet = false;                     // no message on stderr
  size_t stack_bytes = 0;                 // of a CUDA thread; 0: 64 KiB, 256 KiB when sanitized
  double watchdog_seconds = 20;           // patience with a block whose threads only spin
};
Config& config();

const std::string& last_diagnostic();  // what went wrong in the last launch that failed
void clear_error();

}  // namespace tapetum::emulation
