#include "kernels/cuda/emulation/profile/order.h"
#include <algorithm>

namespace tapetum::emulation::profile {

void Order::begin_block(uint32_t block, uint32_t threads) {
  block_ = block;
  clocks_.assign(threads, Clock(threads, 0));
  for (uint32_t t = 0; t < threads; ++t) clocks_[t][t] = 1;
  fenced_.assign(threads, false);
  objects_.clear();
}

void Order::join(Known& known, uint32_t thread) const {
  const Clock& own = clocks_[thread];
  known.clock.resize(own.size());
  for (size_t i = 0; i < own.size(); ++i) known.clock[i] = std::max(known.clock[i], own[i]);
  known.fenced |= fenced_[thread];
}

void Order::learn(uint32_t thread, const Known& known) {
  Clock& own = clocks_[thread];
  for (size_t i = 0; i < known.clock.size(); ++i) own[i] = std::max(own[i], known.clock[i]);
  fenced_[thread] |= known.fenced;
}

void Order::meet(const std::vector<uint32_t>& threads) {
  Known all;
  for (uint32_t t : threads) join(all, t);
  for (uint32_t t : threads) {
    clocks_[t] = all.clock;
    ++clocks_[t][t];
    fenced_[t] = all.fenced;
  }
}

void Order::release(const void* object, uint32_t thread) {
  join(objects_[object], thread);
  ++clocks_[thread][thread];
}

void Order::acquire(const void* object, uint32_t thread) {
  if (const auto found = objects_.find(object); found != objects_.end()) learn(thread, found->second);
}

void Order::fence(uint32_t thread) {
  Known& known = fences_[block_];
  learn(thread, known);
  fenced_[thread] = true;
  join(known, thread);
  ++clocks_[thread][thread];
}

bool Order::before_a_fence(const Moment& m) const {
  const auto found = fences_.find(m.block);
  return found != fences_.end() && m.time <= found->second.clock[m.thread];
}

}  // namespace tapetum::emulation::profile
