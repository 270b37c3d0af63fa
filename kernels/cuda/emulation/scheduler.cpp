#include "kernels/cuda/emulation/scheduler.h"
#include <algorithm>
#include <bit>
#include <chrono>
#include <thread>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/profile/hooks.h"

__thread uint3 threadIdx TAPETUM_EMULATION_TLS;
__thread uint3 blockIdx TAPETUM_EMULATION_TLS;
__thread dim3 blockDim TAPETUM_EMULATION_TLS;
__thread dim3 gridDim TAPETUM_EMULATION_TLS;

namespace tapetum::emulation {

thread_local Block* current_block TAPETUM_EMULATION_TLS = nullptr;

namespace {

constexpr int kNobody = -1, kOnlySpinning = -2;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

uint64_t next_random(Block& b) {  // xorshift64
  b.random ^= b.random << 13;
  b.random ^= b.random >> 7;
  b.random ^= b.random << 17;
  return b.random;
}

unsigned lowest(uint32_t set) { return static_cast<unsigned>(std::countr_zero(set)); }
unsigned highest(uint32_t set) { return 31u - static_cast<unsigned>(std::countl_zero(set)); }
unsigned member(uint32_t set, uint64_t random) {
  for (auto n = static_cast<unsigned>(random % static_cast<unsigned>(std::popcount(set))); n > 0; --n) set &= set - 1;
  return lowest(set);
}

// Every order is one that CUDA allows. All stay within a warp while it has ready lanes, the random one mostly.
struct Choice {
  unsigned warp, lane;
};
Choice choose_forward(const Block& b) {
  unsigned w = b.current_warp;
  if (!b.warps[w].ready) {
    const uint32_t above = b.ready_warps & ~first_lanes(w + 1);
    w = lowest(above ? above : b.ready_warps);
  }
  return {w, lowest(b.warps[w].ready)};
}
Choice choose_reverse(const Block& b) {
  unsigned w = b.current_warp;
  if (!b.warps[w].ready) {
    const uint32_t below = b.ready_warps & first_lanes(w);
    w = highest(below ? below : b.ready_warps);
  }
  return {w, highest(b.warps[w].ready)};
}
Choice choose_random(Block& b) {
  const uint64_t r = next_random(b);
  unsigned w = b.current_warp;
  if (!b.warps[w].ready || r % 8 == 0) w = member(b.ready_warps, r >> 8 & 0xffffff);
  return {w, member(b.warps[w].ready, r >> 32)};
}

// Only spinning threads are left: they run again, since a thread of another block may free them. False: for too long.
bool resume_spinning(Block& b) {
  if (++b.spin_rounds == 1)
    b.spin_start = now();
  else if (b.spin_rounds % 1024 == 0 && now() - b.spin_start > config().watchdog_seconds)
    return false;
  for (unsigned w = 0; w < b.nwarps; ++w) {
    b.warps[w].ready |= b.warps[w].spinning;
    b.warps[w].spinning = 0;
  }
  b.ready_warps = b.spinning_warps;
  b.spinning_warps = 0;
  if (b.spin_rounds > 64) std::this_thread::yield();
  return true;
}

// The next thread to run; it is no longer in the ready sets.
int pick(Block& b) {
  if (!b.warps[b.current_warp].ready) profile::flush(b.current_warp, ~0u);
  if (!b.ready_warps && !b.tma.empty()) run_async_copies(b);
  if (!b.ready_warps) {
    if (!b.spinning_warps) return kNobody;
    if (!resume_spinning(b)) return kOnlySpinning;
  }
  const Choice c = b.schedule == Schedule::forward ? choose_forward(b) : b.schedule == Schedule::reverse ? choose_reverse(b) : choose_random(b);
  Warp& warp = b.warps[c.warp];
  warp.ready &= ~(1u << c.lane);
  if (!warp.ready) b.ready_warps &= ~(1u << c.warp);
  b.current_warp = c.warp;
  return static_cast<int>(c.warp * kLanes + c.lane);
}

Fiber* take_fiber(Block& b, unsigned thread) {
  if constexpr (kTsan) return b.fibers[thread].get();  // a stack used by two CUDA threads would look like a race
  if (b.idle.empty()) grow_fibers(b, static_cast<unsigned>(b.fibers.size()) + 1);
  Fiber* f = b.idle.back();
  b.idle.pop_back();
  return f;
}
void give_back(Block& b, Fiber* f) {
  if constexpr (!kTsan) b.idle.push_back(f);
}

void become(Block& b, unsigned thread) {
  b.current = thread;
  threadIdx = b.thread_idx[thread];
  profile::enter_thread(thread);
  tsan_switch(b.threads[thread].tsan);
}

void to_native(Block& b, Fiber& from) {
  profile::leave_thread();
  tsan_switch(b.tsan_native);
  switch_fiber(from, b.native);
}

void suspend(Block& b) {
  const int next = pick(b);
  if (next < 0) report_stuck(b, next == kOnlySpinning);
  Thread& me = b.threads[b.current];
  const auto n = static_cast<unsigned>(next);
  if (n == b.current) return;  // it spins
  Thread& other = b.threads[n];
  if (!other.fiber) other.fiber = take_fiber(b, n);
  Fiber &from = *me.fiber, &to = *other.fiber;
  become(b, n);
  switch_fiber(from, to);
}

void thread_exits(Block& b) {
  const unsigned t = b.current;
  b.spin_rounds = 0;
  tsan_release(&b.tsan_done);
  b.warps[t / kLanes].alive &= ~(1u << t % kLanes);
  --b.alive;
  b.threads[t].wait = Op::none;
  thread_left(b, t);
}

void reset_threads(Block& b) {
  b.alive = b.nthreads;
  b.ready_warps = first_lanes(b.nwarps);
  b.spinning_warps = 0;
  b.spin_rounds = 0;
  for (unsigned w = 0; w < b.nwarps; ++w) {
    Warp& warp = b.warps[w];
    warp.alive = warp.ready = first_lanes(b.nthreads - w * kLanes);
    warp.spinning = 0;
    warp.groups_open = 0;
  }
  for (unsigned t = 0; t < b.nthreads; ++t) {
    Thread& thread = b.threads[t];
    thread.fiber = nullptr;
    thread.wait = Op::none;
    if (!thread.tsan) thread.tsan = tsan_create();
  }
  b.current_warp = b.schedule == Schedule::reverse ? b.nwarps - 1 : 0;
}

// Every thread of a failed block stopped in the middle of something.
void rewind_fibers(Block& b) {
  b.idle.clear();
  for (auto& f : b.fibers) {
    rewind_fiber(*f);
    give_back(b, f.get());
  }
  if constexpr (kTsan)
    for (Thread& t : b.threads) {
      if (!t.tsan) continue;
      tsan_switch(t.tsan);  // what it did happens before what the host does next
      tsan_release(&b.tsan_done);
      tsan_switch(b.tsan_native);
      tsan_destroy(t.tsan);
      t.tsan = nullptr;
    }
  tsan_acquire(&b.tsan_done);
  const AsyncUnit nobody_waited_for(b.tsan_async, true);
}

}  // namespace

void grow_fibers(Block& b, unsigned n) {
  while (b.fibers.size() < n) {
    b.fibers.push_back(make_fiber(b.fibers.size()));
    give_back(b, b.fibers.back().get());
  }
}

void make_ready(Block& b, unsigned t) {
  b.warps[t / kLanes].ready |= 1u << t % kLanes;
  b.ready_warps |= 1u << t / kLanes;
}

void wait_for(Block& b, Op op, Loc at, uint32_t mask) {
  Thread& t = b.threads[b.current];
  t.wait = op;
  t.at = at;
  t.mask = mask;
  suspend(b);
  t.wait = Op::none;
}

void yield() {
  Block& b = block();
  b.warps[b.current / kLanes].spinning |= 1u << b.current % kLanes;
  b.spinning_warps |= 1u << b.current / kLanes;
  wait_for(b, Op::spin, {});
}

void note_atomic_spin() {
  Block& b = block();
  if (++b.atomic_spins < 256) return;
  b.atomic_spins = 0;
  yield();
}

void abandon(Block& b) {
  b.failed = true;
  Fiber nowhere;
  to_native(b, nowhere);
  __builtin_unreachable();
}

bool run_block(Block& b, uint3 index) {
  blockIdx = index;
  b.failed = false;
  reset_threads(b);
  clear_barriers(b);
  clear_copies(b);
  clear_hopper(b);
  const bool poison = config().poison;
  if (poison) {
    b.static_shared.poison(b.invoke);
    b.dynamic_shared.poison();
  }
  profile::begin_block(b);
  b.tsan_native = tsan_current();
  tsan_release(&b.tsan_start);
  const auto first = static_cast<unsigned>(pick(b));
  Fiber* f = b.threads[first].fiber = take_fiber(b, first);
  become(b, first);
  switch_fiber(b.native, *f);
  tsan_acquire(&b.tsan_done);
  if (b.failed) {
    rewind_fibers(b);
    return false;
  }
  profile::flush(b);
  if (poison) b.static_shared.learn();
  return true;
}

}  // namespace tapetum::emulation

// Where a fiber begins: runs one thread of the block after another on this stack, for as long as they do not have to wait.
extern "C" [[noreturn]] void tapetum_emulation_run_threads() {
  using namespace tapetum::emulation;
  asan_enter_stack(nullptr);
  Block& b = block();
  for (;;) {
    tsan_acquire(&b.tsan_start);
    b.invoke(b.args);
    Fiber* self = b.threads[b.current].fiber;
    thread_exits(b);
    const int next = pick(b);
    if (next < 0) {
      if (b.alive) report_stuck(b, next == kOnlySpinning);
      give_back(b, self);
      to_native(b, *self);
      continue;  // taken again for a thread of a later block
    }
    Thread& other = b.threads[static_cast<unsigned>(next)];
    become(b, static_cast<unsigned>(next));
    if (!other.fiber) {
      if constexpr (!kTsan) {
        other.fiber = self;
        continue;
      }
      other.fiber = take_fiber(b, static_cast<unsigned>(next));
    } else {
      give_back(b, self);
    }
    switch_fiber(*self, *other.fiber);
  }
}
