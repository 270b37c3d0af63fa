// What one instruction of a warp costs, by the rules of the hardware for sectors, banks and addresses in common.
#pragma once
#include <array>
#include <vector>
#include "kernels/cuda/emulation/profile/memory.h"
#include "kernels/cuda/emulation/profile/profile.h"

namespace tapetum::emulation::profile {

using Lanes = std::array<uint64_t, 32>;  // the value (trace.h) of each lane that takes part

// A request for memory. `touched`: gets the bytes of device memory, if not null.
Counters count_access(Kind kind, uint32_t lanes, const Lanes& values, TouchedBytes* touched);
// The sectors of ranges in ascending order, as one request.
void count_sectors(Counters& c, const Span* ranges, size_t n, TouchedBytes* touched);

// Accesses of a warp to neighbouring addresses, one instruction after the other: what they would cost as one of up to 16 bytes, as nvcc may
// compile them, or the author could write them with float4. Counted for the site of the first.
class WideAccess {
 public:
  void add(Counters& site, Kind kind, uint32_t lanes, const Lanes& values, const Counters& cost);
  void finish();

 private:
  bool continues(uint32_t lanes, const Lanes& values, unsigned size) const;

  Counters* site_ = nullptr;  // null: nothing is open
  Kind kind_{};
  uint32_t lanes_ = 0;
  unsigned bytes_ = 0, most_ = 0;  // so far, and as many as the alignment of all lanes allows
  Lanes first_{};
  Counters parts_;
};

}  // namespace tapetum::emulation::profile
