// What happens before what in a launch, by vector clocks: barriers, __syncwarp, mbarriers and fences order the threads that meet there.
#pragma once
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

namespace tapetum::emulation::profile {

// Of a thread: the time of each thread of its block that is known to lie before the present, its own included.
using Clock = std::vector<uint32_t>;

struct Moment {
  uint32_t block, thread, time;
  bool operator==(const Moment&) const = default;
};

// Blocks run one after the other, so that a block which runs finds all fences of those before it.
class Order {
 public:
  void begin_block(uint32_t block, uint32_t threads);

  Moment now(uint32_t thread) const { return {block_, thread, clocks_[thread][thread]}; }
  bool before(const Moment& m, uint32_t thread) const {  // whether it lies before what `thread` does now
    if (m.block == block_) return m.time <= clocks_[thread][m.thread];
    return fenced_[thread] && before_a_fence(m);
  }

  void meet(const std::vector<uint32_t>& threads);  // what each did before, all know after
  void release(const void* object, uint32_t thread);
  void acquire(const void* object, uint32_t thread);
  void forget(const void* object) { objects_.erase(object); }
  // As to ThreadSanitizer here (warp_operations.cpp): what stands before a fence comes before what follows any later one.
  void fence(uint32_t thread);

 private:
  bool before_a_fence(const Moment& m) const;

  uint32_t block_ = 0;
  std::vector<Clock> clocks_;  // of the threads of the block that runs
  std::vector<char> fenced_;   // they know of the fences of earlier blocks
  struct Known {
    Clock clock;
    bool fenced = false;
  };
  void join(Known& known, uint32_t thread) const;
  void learn(uint32_t thread, const Known& known);
  std::unordered_map<const void*, Known> objects_;
  std::map<uint32_t, Known> fences_;  // by block
};

}  // namespace tapetum::emulation::profile
