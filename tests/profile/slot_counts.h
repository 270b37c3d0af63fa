// The counts of one slot's kernels, whatever else the work around it launches.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernels/cuda/emulation/profile/profile.h"
#include "kernels/slot.h"

namespace tapetum::test {

struct SlotCounts {
  std::string candidate;        // that ran last; empty: the slot was not run
  double flops = 0, bytes = 0;  // what the calls have to do at least (kernels/work.h); 0: unknown
  std::vector<emulation::profile::Kernel> kernels;

  uint64_t moved() const;      // bytes in sectors
  uint64_t different() const;  // bytes, each once a launch
};

// With `candidate` by force, or the library's choice where it is empty; throws UnsupportedKernel where the candidate cannot do it. `has_run`
// tells the work whether the slot has been run.
SlotCounts count_slot(const kernels::SlotBase& slot, const std::string& candidate,
                      const std::function<void(const std::function<bool()>& has_run)>& work);

}  // namespace tapetum::test
