// Looks for faults of one launch while it runs.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include "kernels/cuda/emulation/location.h"
#include "kernels/cuda/emulation/profile/faults.h"
#include "kernels/cuda/emulation/profile/shadow.h"

namespace tapetum::emulation {
struct Block;
}
namespace tapetum::emulation::profile {

struct SeenRace {
  Touch first, second;
  uint64_t times;  // that these two instructions raced
  Loc barrier;     // the last __syncthreads() that both had passed; none: {}
};
struct SeenBad {
  BadAccess::Why why;
  Touch touch;
  std::string what;
};
struct Seen {
  std::string kernel;
  dim3 grid, block;
  std::vector<SeenRace> races;
  std::optional<SeenBad> bad;
};

class Detector {
 public:
  Detector(std::string kernel, dim3 grid, dim3 block) : guarded_(guarded_allocations()), seen_{std::move(kernel), grid, block, {}, {}} {}
  void begin_block(const Block& b);
  void meet(const Block& b, Loc at);
  // By the running thread. What is bad ends the block.
  void touch(Kind kind, uintptr_t pc, uintptr_t at, unsigned bytes);
  void look_outside(Kind kind, uintptr_t pc, uintptr_t at, unsigned bytes);
  void look_misaligned(Kind kind, uintptr_t pc, uintptr_t at, unsigned bytes);
  [[noreturn]] void found_bad(BadAccess::Why why, Kind kind, uintptr_t pc, const char* what);
  const Seen& seen() const { return seen_; }

  Order order;

 private:
  Touch now(Kind kind, uintptr_t pc) const;
  Loc barrier_before(const Touch& first) const;

  Spans guarded_;
  Shadow global_, shared_;  // the latter of the block that runs
  Seen seen_;
  Loc barrier_;                                              // the last one of the block that runs
  std::vector<uint32_t> met_;                                // who was there
  std::map<std::pair<uint64_t, uint64_t>, size_t> numbers_;  // places in seen_.races, by sites
};

Faults faults_in(const std::vector<Seen>& launches);

}  // namespace tapetum::emulation::profile
