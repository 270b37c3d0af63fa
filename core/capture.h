// What core's own files ask about the graph that is being captured on this thread (core/cuda_graph.h).
#pragma once
#include <cstdint>
#include <vector>

#include "core/device.h"
#include "kernels/fault.h"
#include "kernels/random_call.h"

namespace tapetum {

struct Capture {
  Device device;
  kernels::RandomCall* start = nullptr;  // device memory: where the random stream stands at a replay
  uint64_t random_calls = 0;             // so far, counted from there
  std::vector<kernels::Fault*> faults;   // that its kernels report to
};

Capture* current_capture();  // null: none
void set_current_capture(Capture* capture);
// For what makes the host wait, or leaves values of now in the graph: throws DeviceError, "op: why, while a graph is captured".
void refuse_capture(const char* op, const char* why);
void release_faults(const std::vector<kernels::Fault*>& held);

}  // namespace tapetum
