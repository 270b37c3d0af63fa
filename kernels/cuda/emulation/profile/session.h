// What has been counted: of each kernel and shape of launch, by program counter.
#pragma once
#include <map>
#include <memory>
#include <unordered_map>
#include "kernels/cuda/emulation/profile/detector.h"
#include "kernels/cuda/emulation/profile/memory.h"
#include "kernels/cuda/emulation/profile/profile.h"

namespace tapetum::emulation::profile {

struct Record {
  size_t number = 0;                             // in the order of their first launches
  Kernel kernel;                                 // without its lines
  std::unordered_map<uint64_t, Counters> sites;  // by program counter and kind (trace.h)
};

// A request before its place is known.
struct SeenRequest {
  uint64_t site;
  unsigned launch, warp;
  uint32_t lanes;
  std::array<uint64_t, 32> values;  // trace.h
};

// The launch that runs and is counted.
struct Launch {
  Record& record;
  Spans device, static_shared;
  Span dynamic_shared{};
  TouchedBytes read, written;
  std::unique_ptr<Detector> detector;                // null: nobody asked for faults
  unsigned number = 0;                               // from 0
  std::vector<SeenRequest>* all_requests = nullptr;  // gets those of the block in the middle; null: nobody asked for them
  std::vector<SeenRequest>* requests = nullptr;      // of the block that runs
};
Launch* current_launch();  // null: none

using Records = std::map<std::string, Record>;  // by name and shape
const Records& records();
std::vector<Request> placed(const std::vector<SeenRequest>& requests);  // throws std::runtime_error as report() does

}  // namespace tapetum::emulation::profile
