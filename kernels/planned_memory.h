// What tensors without data, and the kernels that would run on them, would take in host memory: shapes that go through a model say how much
// memory it needs. Blocks count as the allocator would give them out; counted for the whole process.
#pragma once
#include <cstddef>

namespace tapetum::kernels {

struct PlannedMemory {
  size_t allocated, peak;    // as MemoryCounters has them
  size_t workspace_at_peak;  // the part of the peak that was a kernel's workspace
};

void plan_block(size_t bytes);
void plan_release(size_t bytes);
void plan_workspace(size_t bytes);  // taken and given back
PlannedMemory planned_memory();
void reset_planned_peak();

}  // namespace tapetum::kernels
