// What the threads of a block did since they were last put into lockstep, each in its own order.
#pragma once
#include <array>
#include <cstddef>
#include "kernels/cuda/emulation/block.h"
#include "kernels/cuda/emulation/profile/profile.h"

namespace tapetum::emulation::profile {

class Detector;

// Key: call depth, from the deepest on; program counter; kind. The smallest key is the deepest function's earliest instruction.
// Value: of an access its address and bytes, of an operation its bytes and flops.
struct Entry {
  uint64_t key, value;
};
constexpr uint64_t kSite = ~(uint64_t{255} << 56);  // of a key: program counter and kind
inline uint64_t key_of(uint64_t depth, uintptr_t pc, Kind k) {
  return (255 - depth) << 56 | (pc & 0xffff'ffff'ffffu) << 8 | static_cast<uint64_t>(k);
}
inline Kind kind_of(uint64_t key) { return static_cast<Kind>(key & 255); }
inline uintptr_t pc_of(uint64_t site) { return site >> 8; }

inline uint64_t access_value(uintptr_t address, uint64_t bytes) { return address << 8 | bytes; }
inline uintptr_t address_of(uint64_t value) { return value >> 8; }
inline unsigned bytes_of(uint64_t value) { return static_cast<unsigned>(value & 255); }

class Trace {
 public:
  Entry* begin() { return begin_; }
  Entry* end() { return end_; }
  void push(Kind k, uintptr_t pc, uint64_t value) {
    if (end_ == limit_) grow();
    *end_++ = {key_of(depth, pc, k), value};
  }
  void reset();                  // a thread begins
  void drop_until(Entry* next);  // what stands before it has been counted
  bool is_cut() const { return cut_; }

  uint64_t depth = 0;  // of calls, modulo 256

 private:
  void grow();
  bool make_room_by_counting();

  Entry *begin_ = nullptr, *end_ = nullptr, *limit_ = nullptr;
  bool cut_ = false;  // full while its thread still runs: what follows the last entry is unknown
};

extern std::array<Trace, kMaxThreads> traces;
// Of the running CUDA thread; null where nothing is counted. A launch is counted, or looked at for faults.
extern thread_local Trace* running_trace TAPETUM_EMULATION_TLS;
extern thread_local Detector* running_detector TAPETUM_EMULATION_TLS;

}  // namespace tapetum::emulation::profile
