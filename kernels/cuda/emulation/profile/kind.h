// What the instruction of a warp is, to the profiler.
#pragma once
#include <cstdint>

namespace tapetum::emulation::profile {

// One instruction may make two entries (cp.async: its global side, then its shared side); they stand in this order.
enum class Kind : uint8_t {
  block,  // a basic block
  global_load,
  global_store,
  global_atomic,
  cp_async,
  tma_load,
  shared_load,
  shared_store,
  shared_atomic,
  cp_async_shared,
  ldmatrix,
  barrier,
  mbarrier,
  syncwarp,
  shuffle,
  vote,
  mma,
  wgmma
};

}  // namespace tapetum::emulation::profile
