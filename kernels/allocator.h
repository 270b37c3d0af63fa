// Host memory for tensors and workspaces: freed blocks are kept and given out again, because the system would zero each page anew.
#pragma once
#include "kernels/device.h"

namespace tapetum::kernels {

// 64-byte aligned; null when there is none. Thread-safe.
void* allocate_host(size_t bytes);
void release_host(void* data);
size_t host_block_size(size_t bytes);  // what allocate_host(bytes) counts for

// Sanitizer builds, and TAPETUM_ALLOC=system: each block is a system allocation of exactly its size, so that an overrun is seen.
bool allocations_are_exact();

// For tests. While one lives, each new block lies between guard words and begins as NaN: a kernel that writes outside its buffers is
// noticed without a sanitizer, and one that reads what nothing has written gives NaN. Where allocations are exact it does nothing.
class GuardWords {
 public:
  GuardWords();
  ~GuardWords();
  GuardWords(const GuardWords&) = delete;
};
size_t damaged_blocks();  // with changed guard words, in use or released since the last call

MemoryCounters host_memory();
void reset_host_peak();
void release_cached_host();  // gives kept blocks back to the system

}  // namespace tapetum::kernels
