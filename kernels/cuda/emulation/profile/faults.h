// What emulated kernels do wrong with memory, found whatever the order of the threads. In trees of the preset gpu-profile alone.
#pragma once
#include <functional>
#include <string>
#include <vector>
#include "kernels/cuda/emulation/location.h"
#include "kernels/cuda/emulation/profile/kind.h"
#include "kernels/cuda/emulation/vector_types.h"

namespace tapetum::emulation::profile {

struct Access {
  std::string file;  // from the root of the sources
  int line = 0;
  Kind kind{};
  uint3 block{}, thread{};
};

// Two threads access the same bytes, at least one writes, not both by atomics, and nothing between them orders them.
struct Race {
  std::string kernel;
  Access first, second;  // as they came here; on a GPU it may be the other way around
  uint64_t times = 0;    // that these two lines did so
  Loc barrier{};         // the last __syncthreads() that both threads had passed, where they are of one block and it has one
};

// One that a GPU refuses, or should: outside of the memory that cudaMalloc gave, or of an array whose bounds the compiler was told to watch
// (-fsanitize=bounds), or at an address that is no multiple of its size.
struct BadAccess {
  enum Why { outside, misaligned } why = outside;
  std::string kernel, what;  // "global store of 4 bytes at byte 260 of an allocation of 256"
  Access access;
};

struct Faults {
  std::vector<Race> races;  // each pair of lines once, in the order in which they were found
  std::vector<BadAccess> bad;
};

// Of the launches of `work`. A bad access ends its launch, as cudaErrorLaunchFailure; one outside is known for what it is where the memory
// was allocated with Config::guard_device_memory. Not looked at: what TMA writes and wgmma reads. A fence comes after all fences before it, as if
// an atomic said so. Throws std::runtime_error where addr2line (of binutils), which names the lines, cannot be run.
// `which`: as kernels_of takes it (profile.h).
Faults faults_of(const std::function<void()>& work, const std::function<bool()>& which = {});

std::string text(const Race& race);  // a line, and two more with who did what, where, with the source
std::string text(const BadAccess& bad);
std::string text(const Faults& faults);  // all of them; empty: there are none

}  // namespace tapetum::emulation::profile
