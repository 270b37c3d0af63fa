// What the emulator counts of a step, and what it finds wrong, in trees of the preset gpu-profile.
#pragma once
#include "kernels/cuda/emulation/profile/faults.h"
#include "kernels/cuda/emulation/profile/profile.h"
#include "ladders/ladder.h"

namespace tapetum::ladders {

namespace profile = emulation::profile;

struct Counts {
  std::vector<profile::Kernel> kernels;

  uint64_t launches() const;
  profile::Counters total(profile::Kind kind) const;
  profile::Counters global() const, shared() const, atomics() const;
  uint64_t loaded() const, stored() const;  // bytes of the sectors that requests touch
  double active_lanes() const;              // of 32, over the basic blocks that warps run
};

Counts count(const Ladder& ladder, const Attempt& attempt);  // at the sizes `ladder.counted`

// Races and bad accesses at the first of the sizes `ladder.tested` that shows any.
profile::Faults find_faults(const Ladder& ladder, const Attempt& attempt);

}  // namespace tapetum::ladders
