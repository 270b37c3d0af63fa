// Addresses as the asynchronous units of Hopper see them: offsets in the shared-memory window.
#pragma once
#include "kernels/cuda/emulation/block.h"

namespace tapetum::emulation {

inline constexpr uint64_t kWindow = 1024;  // of the first byte of dynamic shared memory

inline uint64_t window_address(const Block& b, const void* p) {
  return kWindow + static_cast<uint64_t>(static_cast<const char*>(p) - b.dynamic_shared.data());
}
inline char* window_pointer(const Block& b, uint64_t address) { return b.dynamic_shared.data() + (address - kWindow); }

// `mode` as in CUtensorMapSwizzle: 1, 2, 3 permute the 16-byte pieces of rows of 32, 64, 128 bytes.
inline uint64_t swizzled(uint64_t address, unsigned mode) { return address ^ (address >> 7 & ((1u << mode) - 1)) << 4; }

}  // namespace tapetum::emulation
