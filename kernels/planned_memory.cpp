#include "kernels/planned_memory.h"

#include <mutex>

#include "kernels/allocator.h"

namespace tapetum::kernels {
namespace {

std::mutex mutex;
PlannedMemory memory{};

// With the mutex held.
void note_peak(size_t workspace) {
  if (memory.allocated + workspace <= memory.peak) return;
  memory.peak = memory.allocated + workspace;
  memory.workspace_at_peak = workspace;
}

}  // namespace

void plan_block(size_t bytes) {
  const std::lock_guard lock(mutex);
  memory.allocated += host_block_size(bytes);
  note_peak(0);
}

void plan_release(size_t bytes) {
  const std::lock_guard lock(mutex);
  memory.allocated -= host_block_size(bytes);
}

void plan_workspace(size_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard lock(mutex);
  note_peak(host_block_size(bytes));
}

PlannedMemory planned_memory() {
  const std::lock_guard lock(mutex);
  return memory;
}

void reset_planned_peak() {
  const std::lock_guard lock(mutex);
  memory.peak = memory.allocated;
  memory.workspace_at_peak = 0;
}

}  // namespace tapetum::kernels
