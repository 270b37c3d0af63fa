// __syncthreads and the named barriers.
#include <cstring>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/scheduler.h"
#include "kernels/cuda/emulation/warp.h"

namespace tapetum::emulation {
namespace {

int reduced(const BlockBarrier& bar, unsigned alive) {
  switch (bar.kind) {
    case BlockReduce::and_:
      return bar.count == static_cast<int>(alive);
    case BlockReduce::or_:
      return bar.count != 0;
    default:
      return bar.count;
  }
}

void release(Block& b) {
  profile::flush(b);
  profile::meet(b, b.barrier.at);
  BlockBarrier& bar = b.barrier;
  bar.result = reduced(bar, b.alive);
  bar.arrived = 0;
  bar.count = 0;
  bar.phase ^= 1;
  for (unsigned w = 0; w < b.nwarps; ++w) {
    b.warps[w].ready = b.warps[w].alive;
    if (b.warps[w].alive) b.ready_warps |= 1u << w;
  }
}

bool same_place(Loc a, Loc b) { return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0); }

}  // namespace

// Threads that have returned do not count: the rule since Volta.
int block_barrier(BlockReduce kind, int pred, Loc at) {
  profile::operation(profile::Kind::barrier, TAPETUM_EMULATION_CALLER);
  Block& b = block();
  BlockBarrier& bar = b.barrier;
  b.spin_rounds = 0;
  if (!bar.arrived) {
    bar.at = at;
    bar.kind = kind;
  } else if (kind != bar.kind || !same_place(at, bar.at)) {
    fail(b, "divergent __syncthreads: this thread is at {} while others wait at {}", at, bar.at);
  }
  if (pred) ++bar.count;
  char* sync = &bar.tsan[bar.phase];
  tsan_release(sync);
  if (++bar.arrived == b.alive) {
    release(b);
    not_ready(b, b.current);
  } else {
    wait_for(b, Op::syncthreads, at);
  }
  tsan_acquire(sync);
  return bar.result;
}

void named_barrier(unsigned id, unsigned n, bool wait, Loc at) {
  profile::operation(profile::Kind::barrier, TAPETUM_EMULATION_CALLER);
  Block& b = block();
  if (id >= kNamedBarriers || n == 0 || n % kLanes || n > kMaxThreads) fail(b, "named barrier {} with {} threads is invalid {}", id, n, at);
  NamedBarrier& bar = b.named[id];
  b.spin_rounds = 0;
  if (!bar.arrived) bar.expected = n;
  if (bar.expected != n) fail(b, "named barrier {}: thread counts differ ({} and {}) {}", id, bar.expected, n, at);
  tsan_release(&bar);
  profile::release(&bar);
  if (++bar.arrived == n) {
    bar.arrived = 0;
    for (unsigned t : bar.waiting) {
      profile::acquire(&bar, t);
      make_ready(b, t);
    }
    if (wait) profile::acquire(&bar, b.current);
    profile::forget(&bar);
    bar.waiting.clear();
  } else if (wait) {
    bar.waiting.push_back(b.current);
    wait_for(b, Op::named_barrier, at, id);
  }
  if (wait) tsan_acquire(&bar);
}

void clear_barriers(Block& b) {
  b.barrier.arrived = 0;
  b.barrier.count = 0;
  for (NamedBarrier& n : b.named) {
    n.arrived = 0;
    n.waiting.clear();
  }
}

void thread_left(Block& b, unsigned t) {
  if (b.barrier.arrived && b.barrier.arrived == b.alive) release(b);
  lane_left(b, t);
}

}  // namespace tapetum::emulation
