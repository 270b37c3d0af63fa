// Fibers, the per-block scheduler, barriers and warp collectives.
#include "block.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <map>
#include <mutex>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

__thread uint3 threadIdx CUDAEMU_TLS;
__thread uint3 blockIdx CUDAEMU_TLS;
__thread dim3 blockDim CUDAEMU_TLS;
__thread dim3 gridDim CUDAEMU_TLS;

// ---- context switch ---------------------------------------------------------------------------
extern "C" void cudaemu_switch(void** save_sp, void* load_sp);
extern "C" [[noreturn]] void cudaemu_fiber_main();
#if defined(__x86_64__)
asm(R"(
.text
.globl cudaemu_switch
.hidden cudaemu_switch
.type cudaemu_switch,@function
cudaemu_switch:
  .cfi_startproc
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp,0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx,0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12,0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13,0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14,0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15,0
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  popq %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  popq %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  popq %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  popq %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
  ret
  .cfi_endproc
.size cudaemu_switch,.-cudaemu_switch
)");
static void* initial_sp(char* top) {
  auto* p = reinterpret_cast<void**>(reinterpret_cast<uintptr_t>(top) & ~uintptr_t{63});
  *--p = nullptr;                                          // "return address" of fiber_main (ends backtraces); sp % 16 == 8 as after a call
  *--p = reinterpret_cast<void*>(&cudaemu_fiber_main);
  for (int i = 0; i < 6; ++i) *--p = nullptr;              // rbp rbx r12-r15
  return p;
}
#elif defined(__aarch64__)
asm(R"(
.text
.globl cudaemu_switch
.hidden cudaemu_switch
.type cudaemu_switch,%function
cudaemu_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size cudaemu_switch,.-cudaemu_switch
)");
static void* initial_sp(char* top) {
  auto* p = reinterpret_cast<void**>((reinterpret_cast<uintptr_t>(top) & ~uintptr_t{63}) - 160);
  for (int i = 0; i < 20; ++i) p[i] = nullptr;
  p[11] = reinterpret_cast<void*>(&cudaemu_fiber_main);    // x30
  return p;
}
#else
#error "cudaemu: add a context switch for this architecture"
#endif

namespace emu {

thread_local Block* tl_block CUDAEMU_TLS = nullptr;

namespace {
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

#if defined(__SANITIZE_ADDRESS__) || defined(CUDAEMU_TSAN)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr bool kOneWorker = kSanitized;

#if defined(CUDAEMU_TSAN)
constexpr bool kSanitizedThreads = true;
#else
constexpr bool kSanitizedThreads = false;
#endif

Fiber* new_fiber(Block& b) {
  auto f = std::make_unique<Fiber>();
  const size_t page = 4096;
  size_t n = config().stack_bytes ? config().stack_bytes : (kSanitized ? 256 * 1024 : 64 * 1024);
  n = (n + page - 1) & ~(page - 1);
  char* m = static_cast<char*>(mmap(nullptr, n + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (m == MAP_FAILED) { std::perror("cudaemu: mmap stack"); std::abort(); }
  mprotect(m, page, PROT_NONE);  // guard
  f->stack = m + page;
  f->size = n;
  f->colour = (b.fibers.size() % 60) * 64;  // spread the hot stack lines over the cache sets
  f->sp = initial_sp(f->stack + n - f->colour);
  b.fibers.push_back(std::move(f));
  return b.fibers.back().get();
}
Fiber* take_fiber(Block& b, [[maybe_unused]] unsigned thread) {
#if defined(CUDAEMU_TSAN)
  return b.fibers[thread].get();  // a stack reused by another CUDA thread would look like a race
#endif
  if (b.pool.empty()) return new_fiber(b);
  Fiber* f = b.pool.back();
  b.pool.pop_back();
  return f;
}

inline void switch_fiber(Fiber* from, Fiber* to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->size);
#endif
  cudaemu_switch(&from->sp, to->sp);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from->fake_stack, nullptr, nullptr);
#endif
}

inline void set_current(Block& b, unsigned n) {
  b.cur = n;
  threadIdx = b.tid[n];
#if defined(CUDAEMU_TSAN)
  __tsan_switch_to_fiber(b.threads[n].tsan, 1 /* no synchronisation */);
#endif
}

uint64_t next_random(Block& b) {
  b.rng ^= b.rng << 13;
  b.rng ^= b.rng >> 7;
  b.rng ^= b.rng << 17;
  return b.rng;
}
unsigned nth_bit(uint32_t m, unsigned n) {
  while (n--) m &= m - 1;
  return static_cast<unsigned>(std::countr_zero(m));
}

// The next thread to run, or -1. Stays within a warp while it has ready threads.
int pick(Block& b) {
  if (!b.ready_warps && !b.tma.empty()) run_async_copies(b);
  if (!b.ready_warps) {
    if (!b.spinning_warps) return -1;
    if (++b.spin_rounds == 1) b.spin_start = now();
    else if ((b.spin_rounds & 1023) == 0 && now() - b.spin_start > config().watchdog_seconds) return -2;
    for (unsigned w = 0; w < b.nwarps; ++w) {
      b.warps[w].ready |= b.warps[w].spinning;
      b.warps[w].spinning = 0;
    }
    b.ready_warps = b.spinning_warps;
    b.spinning_warps = 0;
    if (b.spin_rounds > 64) std::this_thread::yield();
  }
  unsigned w = b.cur_warp, lane;
  uint32_t r = b.warps[w].ready;
  if (b.schedule == Schedule::forward) {
    if (!r) {
      const uint32_t above = w == 31 ? 0 : b.ready_warps & (~0u << (w + 1));
      w = static_cast<unsigned>(std::countr_zero(above ? above : b.ready_warps));
      r = b.warps[w].ready;
    }
    lane = static_cast<unsigned>(std::countr_zero(r));
  } else if (b.schedule == Schedule::reverse) {
    if (!r) {
      const uint32_t below = b.ready_warps & ((1u << w) - 1);
      w = 31u - static_cast<unsigned>(std::countl_zero(below ? below : b.ready_warps));
      r = b.warps[w].ready;
    }
    lane = 31u - static_cast<unsigned>(std::countl_zero(r));
  } else {
    const uint64_t x = next_random(b);
    if (!r || (x & 7) == 0) {
      w = nth_bit(b.ready_warps, static_cast<unsigned>((x >> 8) % static_cast<unsigned>(std::popcount(b.ready_warps))));
      r = b.warps[w].ready;
    }
    lane = nth_bit(r, static_cast<unsigned>((x >> 32) % static_cast<unsigned>(std::popcount(r))));
  }
  r &= ~(1u << lane);
  b.warps[w].ready = r;
  if (!r) b.ready_warps &= ~(1u << w);
  b.cur_warp = w;
  return static_cast<int>(w * 32 + lane);
}

void to_main(Block& b, Fiber* self) {
#if defined(CUDAEMU_TSAN)
  __tsan_switch_to_fiber(b.tsan_main, 1);
#endif
  switch_fiber(self, &b.main);
}

[[noreturn]] void report_deadlock(Block& b, bool spinning) {
  struct Key { Op op; Loc loc; uint32_t mask; };
  std::vector<std::pair<Key, std::vector<unsigned>>> sets;
  for (unsigned t = 0; t < b.nthreads; ++t) {
    if (!(b.warps[t / 32].alive >> (t % 32) & 1)) continue;
    const Thread& th = b.threads[t];
    auto it = std::find_if(sets.begin(), sets.end(), [&](auto& s) { return s.first.op == th.wait && s.first.loc.line == th.loc.line && s.first.loc.file == th.loc.file && s.first.mask == th.mask; });
    if (it == sets.end()) it = sets.insert(sets.end(), {Key{th.wait, th.loc, th.mask}, {}});
    it->second.push_back(t);
  }
  std::string m = spinning ? "livelock: every running thread spins" : "deadlock: no thread can run";
  for (auto& [k, ts] : sets) {
    m += "\n  " + std::to_string(ts.size()) + " thread(s) wait at " + op_name(k.op);
    if (k.op == Op::named_barrier) m += " " + std::to_string(k.mask);
    else if (k.op != Op::syncthreads && k.op != Op::none && k.op != Op::spin && k.op != Op::mbarrier) { char s[24]; std::snprintf(s, sizeof s, " mask 0x%08x", k.mask); m += s; }
    m += " " + describe(k.loc) + ": thread(s) ";
    for (size_t i = 0, shown = 0; i < ts.size();) {
      size_t j = i;
      while (j + 1 < ts.size() && ts[j + 1] == ts[j] + 1) ++j;
      if (++shown > 8) { m += ", ..."; break; }
      if (shown > 1) m += ", ";
      m += std::to_string(ts[i]) + (j > i ? "-" + std::to_string(ts[j]) : "");
      i = j + 1;
    }
  }
  const unsigned gone = b.nthreads - b.alive;
  if (gone) m += "\n  " + std::to_string(gone) + " thread(s) have returned";
  fail(b, m);
}

void release_barrier(Block& b) {
  b.bar_arrived = 0;
  b.bar_result = b.bar_kind == BlockReduce::and_ ? (b.bar_count == static_cast<int>(b.alive)) : b.bar_kind == BlockReduce::or_ ? b.bar_count != 0 : b.bar_count;
  b.bar_count = 0;
  b.bar_phase ^= 1;
  for (unsigned w = 0; w < b.nwarps; ++w) {
    b.warps[w].ready = b.warps[w].alive;
    if (b.warps[w].alive) b.ready_warps |= 1u << w;
  }
}

void finish_group(Block& b, unsigned w, Group& g, uint32_t active, int self_lane) {
  Warp& wp = b.warps[w];
  if (g.aligned && active != 0xffffffffu) fail(b, std::string(op_name(g.op)) + " " + describe(g.loc) + " needs all 32 lanes of the warp");
  g.perform(wp.payload, active);
  wp.ready |= active;
  if (self_lane >= 0) wp.ready &= ~(1u << self_lane);
  if (wp.ready) b.ready_warps |= 1u << w;
  const auto i = &g - wp.groups;
  wp.groups[i] = wp.groups[--wp.ngroups];
}

void thread_exits(Block& b) {
  const unsigned t = b.cur, w = t / 32, lane = t % 32;
  Warp& wp = b.warps[w];
  b.spin_rounds = 0;
  __tsan_release(&b.tsan_done);
  wp.alive &= ~(1u << lane);
  --b.alive;
  b.threads[t].wait = Op::none;
  if (b.bar_arrived && b.bar_arrived == b.alive) release_barrier(b);
  for (int i = 0; i < wp.ngroups;) {
    Group& g = wp.groups[i];
    if ((g.mask >> lane & 1) && g.arrived == (g.mask & wp.alive)) finish_group(b, w, g, g.arrived, -1);
    else ++i;
  }
}
}  // namespace

void make_ready(Block& b, unsigned t) {
  b.warps[t / 32].ready |= 1u << (t % 32);
  b.ready_warps |= 1u << (t / 32);
}

void suspend(Block& b) {
  const int n = pick(b);
  if (n < 0) report_deadlock(b, n == -2);
  Thread& me = b.threads[b.cur];
  if (static_cast<unsigned>(n) == b.cur) return;  // only possible for a spinning thread
  Thread& t = b.threads[n];
  if (!t.fiber) t.fiber = take_fiber(b, static_cast<unsigned>(n));
  Fiber *from = me.fiber, *to = t.fiber;
  set_current(b, static_cast<unsigned>(n));
  switch_fiber(from, to);
}

void fail(Block& b, std::string message) {
  b.failed = true;
  b.message = std::move(message);
  if (config().abort_on_error) {
    std::fprintf(stderr, "cudaemu: kernel %.*s, %s: %s\n", static_cast<int>(b.name.size()), b.name.data(), where(b, b.cur).c_str(), b.message.c_str());
    std::abort();
  }
  Fiber dead;  // this context is never resumed
  to_main(b, &dead);
  __builtin_unreachable();
}

std::string describe(Loc l) { return l.file ? std::string("(") + l.file + ":" + std::to_string(l.line) + ")" : std::string(); }
std::string where(const Block& b, unsigned t) {
  char s[128];
  std::snprintf(s, sizeof s, "block (%u,%u,%u) thread (%u,%u,%u)", blockIdx.x, blockIdx.y, blockIdx.z, b.tid[t].x, b.tid[t].y, b.tid[t].z);
  return s;
}
const char* op_name(Op o) {
  static const char* n[] = {"(running)", "__syncthreads", "named barrier", "__syncwarp", "warp shuffle", "warp vote", "warp match", "warp reduce", "ldmatrix", "stmatrix", "mma", "wgmma", "mbarrier wait", "spin loop"};
  return n[static_cast<int>(o)];
}

int block_barrier(BlockReduce kind, int pred, Loc loc) {
  Block& b = block();
  b.spin_rounds = 0;
  if (!b.bar_arrived) { b.bar_loc = loc; b.bar_kind = kind; }
  else if (loc.line != b.bar_loc.line || kind != b.bar_kind || (loc.file != b.bar_loc.file && std::strcmp(loc.file, b.bar_loc.file)))
    fail(b, "divergent __syncthreads: this thread is at " + describe(loc) + " while others wait at " + describe(b.bar_loc));
  if (pred) ++b.bar_count;
#if defined(CUDAEMU_TSAN)
  char* sync = &b.tsan_bar[b.bar_phase];
  __tsan_release(sync);
#endif
  Thread& t = b.threads[b.cur];
  if (++b.bar_arrived == b.alive) {
    release_barrier(b);
    Warp& w = b.warps[b.cur / 32];
    w.ready &= ~(1u << (b.cur % 32));
    if (!w.ready) b.ready_warps &= ~(1u << (b.cur / 32));
  } else {
    t.wait = Op::syncthreads;
    t.loc = loc;
    t.mask = 0;
    suspend(b);
    t.wait = Op::none;
  }
#if defined(CUDAEMU_TSAN)
  __tsan_acquire(sync);
#endif
  return b.bar_result;
}

void named_barrier(unsigned id, unsigned n, bool wait, Loc loc) {
  Block& b = block();
  if (id > 15 || n == 0 || n % 32 || n > 1024) fail(b, "named barrier " + std::to_string(id) + " with " + std::to_string(n) + " threads is invalid " + describe(loc));
  NamedBarrier& nb = b.named[id];
  b.named_used = true;
  b.spin_rounds = 0;
  if (!nb.arrived) nb.expected = n;
  else if (nb.expected != n) fail(b, "named barrier " + std::to_string(id) + ": thread counts differ (" + std::to_string(nb.expected) + " and " + std::to_string(n) + ") " + describe(loc));
  __tsan_release(&nb);
  if (++nb.arrived == n) {
    nb.arrived = 0;
    for (unsigned t : nb.waiting) make_ready(b, t);
    nb.waiting.clear();
    if (wait) __tsan_acquire(&nb);
  } else if (wait) {
    Thread& t = b.threads[b.cur];
    t.wait = Op::named_barrier;
    t.loc = loc;
    t.mask = id;
    nb.waiting.push_back(b.cur);
    suspend(b);
    t.wait = Op::none;
    __tsan_acquire(&nb);
  }
}

void collective(Block& b, Op op, uint32_t mask, void* payload, Perform perform, bool aligned, Loc loc) {
  const unsigned t = b.cur, w = t / 32, lane = t % 32;
  Warp& wp = b.warps[w];
  b.spin_rounds = 0;
  if (!(mask >> lane & 1)) fail(b, std::string(op_name(op)) + " " + describe(loc) + ": the calling lane " + std::to_string(lane) + " is not in its mask");
  Group* g = nullptr;
  for (int i = 0; i < wp.ngroups; ++i) {
    if (wp.groups[i].mask == mask && wp.groups[i].op == op) { g = &wp.groups[i]; break; }
    if ((wp.groups[i].mask >> lane & 1) && (wp.groups[i].arrived & mask))  // each side waits for the other
      fail(b, "warp " + std::to_string(w) + ": lane " + std::to_string(lane) + " is at " + op_name(op) + " " + describe(loc) + " while lanes it names wait at " + op_name(wp.groups[i].op) + " " + describe(wp.groups[i].loc) + (wp.groups[i].op == op ? " with another mask" : ""));
  }
  if (!g) {
    g = &wp.groups[wp.ngroups++];
    *g = Group{mask, 0, op, aligned, loc, perform};
  } else if (g->perform != perform || (aligned && g->loc.line != loc.line)) {
    fail(b, "warp " + std::to_string(w) + ": lanes execute different instructions: " + op_name(op) + " " + describe(loc) + " and " + describe(g->loc));
  }
  g->arrived |= 1u << lane;
  wp.payload[lane] = payload;
  if (g->arrived == (mask & wp.alive)) {
    finish_group(b, w, *g, g->arrived, static_cast<int>(lane));
    return;
  }
  Thread& th = b.threads[t];
  th.wait = op;
  th.loc = loc;
  th.mask = mask;
  suspend(b);
  th.wait = Op::none;
}

// ---- warp collectives -------------------------------------------------------------------------
namespace {
struct ShflPayload { uint64_t in, out; int mode, arg, width; };
void perform_shfl(void* const* payload, uint32_t active) {
  for (uint32_t m = active; m; m &= m - 1) {
    const int lane = std::countr_zero(m);
    auto& p = *static_cast<ShflPayload*>(payload[lane]);
    const int w = p.width, base = lane & ~(w - 1);
    int s = lane;
    switch (static_cast<Shfl>(p.mode)) {
      case Shfl::idx: s = base | (p.arg & (w - 1)); break;
      case Shfl::up: s = lane - p.arg < base || p.arg > 31 ? lane : lane - p.arg; break;
      case Shfl::down: s = (lane & (w - 1)) + static_cast<unsigned>(p.arg) >= static_cast<unsigned>(w) ? lane : lane + p.arg; break;
      case Shfl::xor_: s = (lane ^ p.arg) > (lane | (w - 1)) ? lane : (lane ^ p.arg) & 31; break;
    }
    if (!(active >> s & 1)) {
      Block& b = block();
      const Thread& t = b.threads[b.cur / 32 * 32 + static_cast<unsigned>(lane)];
      fail(b, "warp shuffle " + describe(t.wait == Op::shfl ? t.loc : b.warps[b.cur / 32].groups[0].loc) + ": lane " + std::to_string(lane) + " reads lane " + std::to_string(s) + ", which does not take part");
    }
    p.out = static_cast<ShflPayload*>(payload[s])->in;
  }
}
struct WordPayload { uint64_t in; uint32_t out; int pred; int op; };
void perform_ballot(void* const* payload, uint32_t active) {
  uint32_t r = 0;
  for (uint32_t m = active; m; m &= m - 1) { const int l = std::countr_zero(m); r |= static_cast<uint32_t>(static_cast<WordPayload*>(payload[l])->in & 1) << l; }
  for (uint32_t m = active; m; m &= m - 1) static_cast<WordPayload*>(payload[std::countr_zero(m)])->out = r;
}
void perform_match_any(void* const* payload, uint32_t active) {
  for (uint32_t m = active; m; m &= m - 1) {
    auto& p = *static_cast<WordPayload*>(payload[std::countr_zero(m)]);
    uint32_t r = 0;
    for (uint32_t k = active; k; k &= k - 1) { const int l = std::countr_zero(k); if (static_cast<WordPayload*>(payload[l])->in == p.in) r |= 1u << l; }
    p.out = r;
  }
}
void perform_match_all(void* const* payload, uint32_t active) {
  const uint64_t v = static_cast<WordPayload*>(payload[std::countr_zero(active)])->in;
  bool same = true;
  for (uint32_t m = active; m; m &= m - 1) same &= static_cast<WordPayload*>(payload[std::countr_zero(m)])->in == v;
  for (uint32_t m = active; m; m &= m - 1) { auto& p = *static_cast<WordPayload*>(payload[std::countr_zero(m)]); p.out = same ? active : 0; p.pred = same; }
}
void perform_reduce(void* const* payload, uint32_t active) {
  const auto op = static_cast<Reduce>(static_cast<WordPayload*>(payload[std::countr_zero(active)])->op);
  uint32_t r = static_cast<uint32_t>(static_cast<WordPayload*>(payload[std::countr_zero(active)])->in);
  for (uint32_t m = active & (active - 1); m; m &= m - 1) {
    const auto v = static_cast<uint32_t>(static_cast<WordPayload*>(payload[std::countr_zero(m)])->in);
    switch (op) {
      case Reduce::add: r += v; break;
      case Reduce::min_s: r = static_cast<uint32_t>(std::min(static_cast<int>(r), static_cast<int>(v))); break;
      case Reduce::max_s: r = static_cast<uint32_t>(std::max(static_cast<int>(r), static_cast<int>(v))); break;
      case Reduce::min_u: r = std::min(r, v); break;
      case Reduce::max_u: r = std::max(r, v); break;
      case Reduce::and_: r &= v; break;
      case Reduce::or_: r |= v; break;
      case Reduce::xor_: r ^= v; break;
    }
  }
  for (uint32_t m = active; m; m &= m - 1) static_cast<WordPayload*>(payload[std::countr_zero(m)])->out = r;
}
void perform_nothing(void* const*, uint32_t) {}
}  // namespace

uint64_t warp_shfl(unsigned mask, uint64_t bits, Shfl mode, int arg, int width, Loc loc) {
  Block& b = block();
  if (width < 1 || width > 32 || (width & (width - 1))) fail(b, "warp shuffle " + describe(loc) + ": width " + std::to_string(width));
  ShflPayload p{bits, 0, static_cast<int>(mode), arg, width};
  collective(b, Op::shfl, mask, &p, perform_shfl, false, loc);
  return p.out;
}
unsigned warp_ballot(unsigned mask, bool pred, Loc loc) {
  WordPayload p{pred, 0, 0, 0};
  collective(block(), Op::vote, mask, &p, perform_ballot, false, loc);
  return p.out;
}
unsigned warp_match_any(unsigned mask, uint64_t v, Loc loc) {
  WordPayload p{v, 0, 0, 0};
  collective(block(), Op::match, mask, &p, perform_match_any, false, loc);
  return p.out;
}
unsigned warp_match_all(unsigned mask, uint64_t v, int* pred, Loc loc) {
  WordPayload p{v, 0, 0, 0};
  collective(block(), Op::match, mask, &p, perform_match_all, false, loc);
  if (pred) *pred = p.pred;
  return p.out;
}
unsigned warp_reduce(unsigned mask, unsigned v, Reduce op, Loc loc) {
  WordPayload p{v, 0, 0, static_cast<int>(op)};
  collective(block(), Op::reduce, mask, &p, perform_reduce, false, loc);
  return p.out;
}
void warp_sync(unsigned mask, Loc loc) {
  Block& b = block();
  __tsan_release(&b.tsan_warp[b.cur / 32]);
  collective(b, Op::syncwarp, mask, nullptr, perform_nothing, false, loc);
  __tsan_acquire(&b.tsan_warp[b.cur / 32]);
}
unsigned active_mask() { return 1u << (block().cur % 32); }  // the least CUDA promises
unsigned thread_index() { return block().cur; }
void trap(const char* what, Loc loc) { fail(block(), std::string(what) + " " + describe(loc)); }

void fence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void yield() {
  Block& b = block();
  const unsigned t = b.cur;
  b.warps[t / 32].spinning |= 1u << (t % 32);
  b.spinning_warps |= 1u << (t / 32);
  b.threads[t].wait = Op::spin;
  b.threads[t].loc = Loc{nullptr, 0};
  suspend(b);
  b.threads[t].wait = Op::none;
}
void note_atomic_spin() {
  Block& b = block();
  if (++b.atomic_spins >= 256) { b.atomic_spins = 0; yield(); }
}
void* dynamic_shared_base(size_t, Loc loc) {
  Block& b = block();
  if (!b.smem_bytes) fail(b, "the kernel uses dynamic shared memory but was launched with none " + describe(loc));
  return b.smem;
}
bool in_dynamic_shared(const Block& b, const void* p, size_t n) {
  const char* c = static_cast<const char*>(p);
  return c >= b.smem && c + n <= b.smem + b.smem_bytes;
}

// ---- shared-memory poisoning ------------------------------------------------------------------
// Finds the __shared__ variables (function-local TLS statics of .cu files) in the symbol tables.
namespace {
struct TlsVar { size_t module, offset, size; };
struct tls_index_ { unsigned long module, offset; };
extern "C" void* __tls_get_addr(tls_index_*);
void scan_module(const char* path, size_t modid, std::vector<TlsVar>& out) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  struct stat st{};
  if (fstat(fd, &st) == 0 && st.st_size > 0) {
    void* m = mmap(nullptr, static_cast<size_t>(st.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (m != MAP_FAILED) {
      const char* base = static_cast<const char*>(m);
      const auto* eh = reinterpret_cast<const ElfW(Ehdr)*>(base);
      const auto* sh = reinterpret_cast<const ElfW(Shdr)*>(base + eh->e_shoff);
      for (int i = 0; i < eh->e_shnum; ++i) {
        if (sh[i].sh_type != SHT_SYMTAB) continue;
        const auto* sym = reinterpret_cast<const ElfW(Sym)*>(base + sh[i].sh_offset);
        const char* str = base + sh[sh[i].sh_link].sh_offset;
        bool cu = false;
        for (size_t k = 0; k < sh[i].sh_size / sizeof(*sym); ++k) {
          const char* name = str + sym[k].st_name;
          const auto type = sym[k].st_info & 0xf, bind = sym[k].st_info >> 4;
          if (type == STT_FILE) { const size_t n = std::strlen(name); cu = n > 3 && !std::strcmp(name + n - 3, ".cu"); continue; }
          if (type != STT_TLS || !sym[k].st_size || std::strncmp(name, "_ZZ", 3) != 0) continue;
          if (bind == STB_LOCAL && !cu) continue;   // global/unique ones: kernels outside an anonymous namespace
          out.push_back({modid, static_cast<size_t>(sym[k].st_value), static_cast<size_t>(sym[k].st_size)});
        }
      }
      munmap(m, static_cast<size_t>(st.st_size));
    }
  }
  close(fd);
}
[[maybe_unused]] const std::vector<TlsVar>& shared_variables() {
  static const std::vector<TlsVar> vars = [] {
    std::vector<TlsVar> v;
    dl_iterate_phdr([](dl_phdr_info* i, size_t, void* p) {
      if (i->dlpi_tls_modid) scan_module(i->dlpi_name && *i->dlpi_name ? i->dlpi_name : "/proc/self/exe", i->dlpi_tls_modid, *static_cast<std::vector<TlsVar>*>(p));
      return 0;
    }, &v);
    return v;
  }();
  return vars;
}
}  // namespace
namespace {
struct Range { char* p; size_t n; };
// Fills the __shared__ variables with NaN before a block. The first block of a kernel on this OS thread gets all of
// them filled and then tells which ones it uses; later blocks get only those filled.
class SharedPoison {
 public:
  void before(void (*kernel)(void*)) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(CUDAEMU_TSAN)
    static thread_local const std::vector<Range> all = [] {
      std::vector<Range> r;
      for (const TlsVar& v : shared_variables()) {
        tls_index_ ti{v.module, v.offset};
        r.push_back({static_cast<char*>(__tls_get_addr(&ti)), v.size});
      }
      return r;
    }();
    const auto it = used_.find(kernel);
    learning_ = it == used_.end() ? kernel : nullptr;
    all_ = &all;
    for (auto& x : learning_ ? all : it->second) std::memset(x.p, 0xff, x.n);
#else
    (void)kernel;
#endif
  }
  void after() {
    if (!learning_) return;
    auto& u = used_[learning_];
    for (auto& x : *all_)
      if (std::any_of(x.p, x.p + x.n, [](char c) { return c != '\xff'; })) u.push_back(x);
    learning_ = nullptr;
  }

 private:
  std::map<void (*)(void*), std::vector<Range>> used_;
  const std::vector<Range>* all_ = nullptr;
  void (*learning_)(void*) = nullptr;
};
}  // namespace

// ---- running a block --------------------------------------------------------------------------
static void recycle_after_failure(Block& b) {
  b.pool.clear();
  for (auto& f : b.fibers) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(f->stack, f->size);
    f->fake_stack = nullptr;
#endif
    f->sp = initial_sp(f->stack + f->size - f->colour);
    if (!kSanitizedThreads) b.pool.push_back(f.get());
  }
#if defined(CUDAEMU_TSAN)
  for (unsigned t = 0; t < 1024; ++t) if (b.threads[t].tsan) { __tsan_destroy_fiber(b.threads[t].tsan); b.threads[t].tsan = nullptr; }
#endif
}

static bool run_block(Block& b, uint3 bid, bool poison) {
  blockIdx = bid;
  b.alive = b.nthreads;
  b.ready_warps = b.nwarps == 32 ? ~0u : (1u << b.nwarps) - 1;
  b.spinning_warps = 0;
  b.spin_rounds = 0;
  for (unsigned w = 0; w < b.nwarps; ++w) {
    const unsigned n = std::min(32u, b.nthreads - w * 32);
    b.warps[w].alive = b.warps[w].ready = n == 32 ? ~0u : (1u << n) - 1;
    b.warps[w].spinning = 0;
    b.warps[w].ngroups = 0;
  }
  for (unsigned t = 0; t < b.nthreads; ++t) {
    b.threads[t].fiber = nullptr;
    b.threads[t].wait = Op::none;
#if defined(CUDAEMU_TSAN)
    if (!b.threads[t].tsan) b.threads[t].tsan = __tsan_create_fiber(0);
#endif
  }
  if (b.copies_used)
    for (unsigned t = 0; t < b.nthreads; ++t) if (b.threads[t].copies) { b.threads[t].copies->pending.clear(); b.threads[t].copies->group = 0; }
  b.tma.clear();
  for (unsigned w = 0; w < b.nwarps; ++w) if (b.wgmma[w]) { b.wgmma[w]->ops.clear(); b.wgmma[w]->tiles.clear(); b.wgmma[w]->group = 0; }
  b.bar_arrived = 0;
  b.bar_count = 0;
  if (b.named_used) for (auto& n : b.named) { n.arrived = 0; n.waiting.clear(); }
  b.failed = false;
  b.cur_warp = b.schedule == Schedule::reverse ? b.nwarps - 1 : 0;
  static thread_local SharedPoison shared;
  if (poison) {
    shared.before(b.invoke);
    if (b.smem_bytes) std::memset(b.smem, 0xff, b.smem_bytes);
  }
#if defined(CUDAEMU_TSAN)
  b.tsan_main = __tsan_get_current_fiber();
#endif
  __tsan_release(&b.tsan_start);
  const int n = pick(b);
  Fiber* f = b.threads[n].fiber = take_fiber(b, static_cast<unsigned>(n));
  set_current(b, static_cast<unsigned>(n));
  switch_fiber(&b.main, f);
  __tsan_acquire(&b.tsan_done);
  if (poison) shared.after();
  if (b.failed) recycle_after_failure(b);
  return !b.failed;
}
}  // namespace emu

// Runs threads of the current block one after another on this stack for as long as they do not block.
extern "C" void cudaemu_fiber_main() {
  using namespace emu;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  Block& b = block();
  for (;;) {
    __tsan_acquire(&b.tsan_start);
    b.invoke(b.args);
    Fiber* self = b.threads[b.cur].fiber;
    thread_exits(b);
    const int n = pick(b);
    if (n < 0) {
      if (b.alive) report_deadlock(b, n == -2);
      if (!kSanitizedThreads) b.pool.push_back(self);
      to_main(b, self);
      continue;  // taken from the pool again: the current thread is the new one
    }
    Thread& t = b.threads[n];
    set_current(b, static_cast<unsigned>(n));
#if defined(CUDAEMU_TSAN)
    if (!t.fiber) t.fiber = b.fibers[n].get();
#else
    if (!t.fiber) { t.fiber = self; continue; }
    b.pool.push_back(self);
#endif
    switch_fiber(self, t.fiber);
  }
}

// ---- launching --------------------------------------------------------------------------------
namespace emu {
namespace {
// Names the CUDA thread in which a fault happened, then lets the default action happen.
void on_fault(int sig, siginfo_t* info, void*) {
  if (Block* b = tl_block; b && b->name.size()) {
    char s[512];
    const Fiber* f = b->threads[b->cur].fiber;
    const auto a = static_cast<char*>(info->si_addr);
    const bool overflow = sig == SIGSEGV && f && a < f->stack && a >= f->stack - 4096;
    const int n = std::snprintf(s, sizeof s, "cudaemu: %s%s in kernel %.*s, block (%u,%u,%u) thread (%u,%u,%u), address %p\n", strsignal(sig), overflow ? " (stack overflow: raise Config::stack_bytes)" : "",
                                static_cast<int>(std::min<size_t>(b->name.size(), 200)), b->name.data(), blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z, info->si_addr);
    if (write(2, s, static_cast<size_t>(n)) < 0) {}
  }
  signal(sig, SIG_DFL);
  raise(sig);
}

// One per OS thread that runs blocks.
struct Worker {
  Block b;
  Worker() {
    tl_block = &b;
    if (!kSanitized) {
      stack_t alt{};
      alt.ss_size = 64 * 1024;
      alt.ss_sp = mmap(nullptr, alt.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      sigaltstack(&alt, nullptr);
      for (int sig : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
        struct sigaction old{};
        sigaction(sig, nullptr, &old);
        if (old.sa_handler != SIG_DFL) continue;  // the program has its own
        struct sigaction sa{};
        sa.sa_sigaction = on_fault;
        sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigaction(sig, &sa, nullptr);
      }
    }
    pthread_attr_t a;
    pthread_getattr_np(pthread_self(), &a);
    void* p;
    size_t n;
    pthread_attr_getstack(&a, &p, &n);
    pthread_attr_destroy(&a);
    b.main.stack = static_cast<char*>(p);
    b.main.size = n;
  }
  ~Worker() {
    for (auto& f : b.fibers) munmap(f->stack - 4096, f->size + 4096);
    std::free(b.smem);
    for (auto& t : b.threads) delete t.copies;
  }
};
Worker& worker() {
  static thread_local std::unique_ptr<Worker> w = std::make_unique<Worker>();
  return *w;
}

struct Job {
  const LaunchDesc* d;
  std::atomic<uint64_t> next{0};
  uint64_t nblocks;
  std::atomic<bool> failed{false};
  std::mutex m;
  std::string message;
  std::atomic<unsigned> running{0};
};

void run_job(Job& j) {
  Worker& wk = worker();
  Block& b = wk.b;
  const LaunchDesc& d = *j.d;
  gridDim = d.grid;
  blockDim = d.block;
  const unsigned nt = d.block.x * d.block.y * d.block.z;
  for (unsigned t = 0; t < nt; ++t) b.tid[t] = uint3{t % d.block.x, t / d.block.x % d.block.y, t / (d.block.x * d.block.y)};
  b.nthreads = nt;
  b.nwarps = (nt + 31) / 32;
  b.invoke = d.invoke;
  b.args = d.args.get();
  b.name = d.name;
  b.schedule = config().schedule;
  if (d.smem > b.smem_capacity) {
    std::free(b.smem);
    b.smem_capacity = (d.smem + 1023) & ~size_t{1023};
    b.smem = static_cast<char*>(std::aligned_alloc(1024, b.smem_capacity + 1024));   // 1 KiB for canaries
  }
#if defined(__SANITIZE_ADDRESS__)
  if (b.smem) { __asan_unpoison_memory_region(b.smem, b.smem_capacity + 1024); __asan_poison_memory_region(b.smem + d.smem, b.smem_capacity + 1024 - d.smem); }
#else
  constexpr unsigned char kCanary = 0xa5;
  const size_t tail_end = d.smem ? (d.smem + 2047) & ~size_t{1023} : 0;
  if (b.smem) std::memset(b.smem + d.smem, kCanary, tail_end - d.smem);
#endif
  b.smem_bytes = d.smem;
  struct Leave { Block& b; ~Leave() { b.name = {}; } } leave{b};
#if defined(CUDAEMU_TSAN)
  // Nothing of the emulator's own may be allocated while a CUDA thread's TSan context is current.
  b.fibers.reserve(1024);
  for (auto& n : b.named) n.waiting.reserve(1024);
  while (b.fibers.size() < nt) new_fiber(b);
#endif
  const bool poison = config().poison_shared;
  for (;;) {
    uint64_t i = j.next.fetch_add(1, std::memory_order_relaxed);
    if (i >= j.nblocks || j.failed.load(std::memory_order_relaxed)) break;
    if (config().schedule == Schedule::reverse) i = j.nblocks - 1 - i;
    b.rng = (config().seed * 0x9e3779b97f4a7c15ull) ^ (i + 1) * 0xd1342543de82ef95ull;
    if (!b.rng) b.rng = 1;
    const uint3 bid{static_cast<unsigned>(i % d.grid.x), static_cast<unsigned>(i / d.grid.x % d.grid.y), static_cast<unsigned>(i / (static_cast<uint64_t>(d.grid.x) * d.grid.y))};
    bool ok = run_block(b, bid, poison);
#if !defined(__SANITIZE_ADDRESS__)
    for (size_t k = d.smem; ok && k < tail_end; ++k)
      if (static_cast<unsigned char>(b.smem[k]) != kCanary) { ok = false; b.message = "write past the end of dynamic shared memory (" + std::to_string(d.smem) + " bytes)"; b.cur = 0; }
#endif
    if (!ok) {
      std::lock_guard<std::mutex> l(j.m);
      if (!j.failed.exchange(true)) j.message = "kernel " + std::string(d.name) + ", " + where(b, b.cur) + ": " + b.message;
      break;
    }
  }
}

class Pool {
 public:
  void run(Job& j, unsigned n) {
    {
      std::lock_guard<std::mutex> l(m_);
      while (threads_.size() + 1 < n) threads_.emplace_back([this] { loop(); });
      job_ = &j;
      wanted_ = n - 1;
      j.running = n - 1;
      ++generation_;
    }
    cv_.notify_all();
    run_job(j);
    std::unique_lock<std::mutex> l(m_);
    done_.wait(l, [&] { return j.running == 0; });
    job_ = nullptr;
  }
  ~Pool() {
    { std::lock_guard<std::mutex> l(m_); stop_ = true; }
    cv_.notify_all();
    for (auto& t : threads_) t.join();
  }

 private:
  void loop() {
    uint64_t seen = 0;
    for (;;) {
      Job* j;
      {
        std::unique_lock<std::mutex> l(m_);
        cv_.wait(l, [&] { return stop_ || (generation_ != seen && job_ && wanted_ > 0); });
        if (stop_) return;
        seen = generation_;
        --wanted_;
        j = job_;
      }
      run_job(*j);
      { std::lock_guard<std::mutex> l(m_); --j->running; }
      done_.notify_one();
    }
  }
  std::vector<std::thread> threads_;
  std::mutex m_;
  std::condition_variable cv_, done_;
  Job* job_ = nullptr;
  unsigned wanted_ = 0;
  uint64_t generation_ = 0;
  bool stop_ = false;
};
Pool& pool() { static Pool p; return p; }
}  // namespace

// Runs the grid now, on this thread and the pool. Returns the diagnostic, empty if none.
std::string run_grid(const LaunchDesc& d) {
  static std::mutex one_at_a_time;
  std::lock_guard<std::mutex> l(one_at_a_time);
  Job j;
  j.d = &d;
  j.nblocks = static_cast<uint64_t>(d.grid.x) * d.grid.y * d.grid.z;
  unsigned n = kOneWorker ? 1 : config().threads ? config().threads : std::max(1u, std::thread::hardware_concurrency());
  n = static_cast<unsigned>(std::min<uint64_t>(n, j.nblocks));
  if (n <= 1) run_job(j); else pool().run(j, n);
  return j.message;
}

}  // namespace emu

// For gdb: `call cudaemu_dump()` prints what every thread of the current block is waiting for.
extern "C" __attribute__((used)) void cudaemu_dump() {
  using namespace emu;
  if (!tl_block) return;
  Block& b = *tl_block;
  std::fprintf(stderr, "kernel %.*s block (%u,%u,%u), %u of %u threads alive\n", static_cast<int>(b.name.size()), b.name.data(), blockIdx.x, blockIdx.y, blockIdx.z, b.alive, b.nthreads);
  for (unsigned t = 0; t < b.nthreads; ++t) {
    const bool alive = b.warps[t / 32].alive >> (t % 32) & 1;
    const bool ready = alive && t != b.cur && (b.warps[t / 32].ready >> (t % 32) & 1) && b.threads[t].fiber;
    if (ready) { std::fprintf(stderr, "  thread %4u (%u,%u,%u)   ready, resumes at %s%s\n", t, b.tid[t].x, b.tid[t].y, b.tid[t].z, op_name(b.threads[t].wait), describe(b.threads[t].loc).c_str()); continue; }
    std::fprintf(stderr, "  thread %4u (%u,%u,%u) %s %s%s\n", t, b.tid[t].x, b.tid[t].y, b.tid[t].z, t == b.cur ? "*" : " ", !alive ? "returned" : !b.threads[t].fiber ? "not started" : b.threads[t].wait == Op::none ? "running" : op_name(b.threads[t].wait), describe(b.threads[t].wait == Op::none ? Loc{nullptr, 0} : b.threads[t].loc).c_str());
  }
}
