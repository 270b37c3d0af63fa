// One call of the random stream, as it reaches a kernel.
#pragma once
#include "kernels/philox.h"

namespace tapetum::kernels {

// The seed and the number of the call, as the host knew them; or, in a captured graph, `call` counts from what the host puts into
// *start before each replay, so that a replay draws what the same step would have drawn now.
struct RandomCall {
  uint64_t seed = 0, call = 0;
  const RandomCall* start = nullptr;  // device memory

  constexpr RandomCall resolved() const { return start ? RandomCall{start->seed, start->call + call} : *this; }
};

constexpr PhiloxWords philox(const RandomCall& resolved, uint64_t block) { return philox(resolved.seed, resolved.call, block); }

}  // namespace tapetum::kernels
