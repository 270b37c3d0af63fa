// Where the arrays of a problem lie, and the clock of what works on them. CUDA's are cudaMalloc's own, without the library's cache in between, so
// that an access beside an array is one outside of memory.
#pragma once
#include <cstddef>
#include <functional>

#include "kernels/types.h"

namespace tapetum::ladders {

struct Device {
  void* (*allocate)(size_t bytes);                         // null: there is no such memory
  void (*release)(void* p);                                // null: nothing
  bool (*copy)(void* to, const void* from, size_t bytes);  // between any two places; waits
  bool (*finish)();                                        // waits; false where something failed
  const char* (*last_error)();
  bool (*time)(const std::function<bool()>& work, double* milliseconds);
  double (*flops)();  // a second at most, in f32, without matrix instructions; 0: nobody knows
};

const Device* device_of(DeviceKind kind);  // null: this build has none

}  // namespace tapetum::ladders
