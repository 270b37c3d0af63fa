// What has been counted: of each kernel and shape of launch, by program counter.
#pragma once
#include <map>
#include <unordered_map>
#include "kernels/cuda/emulation/profile/memory.h"
#include "kernels/cuda/emulation/profile/profile.h"

namespace tapetum::emulation::profile {

struct Record {
  size_t number = 0;                             // in the order of their first launches
  Kernel kernel;                                 // without its lines
  std::unordered_map<uint64_t, Counters> sites;  // by program counter and kind (trace.h)
};

// The launch that runs and is counted.
struct Launch {
  Record& record;
  Spans device, static_shared;
  Span dynamic_shared{};
  TouchedBytes read, written;
};
Launch* current_launch();  // null: none

using Records = std::map<std::string, Record>;  // by name and shape
const Records& records();

}  // namespace tapetum::emulation::profile
