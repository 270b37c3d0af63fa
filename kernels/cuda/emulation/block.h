// Internal: the state of the one thread block an OS thread is running.
#pragma once
#include "device.h"
#include "ptx_emulation.h"
#include "runtime.h"
#include <memory>
#include <string>
#include <vector>

namespace emu {

struct Fiber {
  void* sp = nullptr;
  char* stack = nullptr;
  size_t size = 0;
  size_t colour = 0;
  void* fake_stack = nullptr;   // ASan
};

enum class Op : uint8_t { none, syncthreads, named_barrier, syncwarp, shfl, vote, match, reduce, ldmatrix, stmatrix, mma, wgmma, mbarrier, spin };
const char* op_name(Op);

struct AsyncCopy { void* dst; const void* src; int bytes, src_bytes; unsigned group; };
struct AsyncCopies {
  std::vector<AsyncCopy> pending;
  unsigned group = 0;
};

struct Thread {
  Fiber* fiber = nullptr;     // null until the thread first runs
  Op wait = Op::none;
  uint32_t mask = 0;          // warp collectives: participants; named barriers: id
  Loc loc{nullptr, 0};
  AsyncCopies* copies = nullptr;
  void* tsan = nullptr;
  const void* object = nullptr;  // mbarrier waited on
  uint32_t parity = 0;
};

using Perform = void (*)(void* const* payload, uint32_t active);
struct Group { uint32_t mask, arrived; Op op; bool aligned; Loc loc; Perform perform; };
struct Warp {
  uint32_t ready = 0, alive = 0, spinning = 0;
  int ngroups = 0;
  Group groups[32];
  void* payload[32];
};
struct NamedBarrier { unsigned arrived = 0, expected = 0; std::vector<unsigned> waiting; };

struct TmaCopy { void* smem; TensorMap map; int col, row; uint64_t* bar; };
// An accumulator tile with wgmma in flight: its values live in v until the warp waits.
struct WgmmaTile { float* d[32]; int n; std::vector<float> v; unsigned last_group; };
struct WgmmaOp { float* tile; int n; uint64_t a, b; bool trans_b, accumulate, executed; unsigned group; };
struct WarpWgmma { std::vector<WgmmaOp> ops; std::vector<WgmmaTile> tiles; unsigned group = 0; };
// Asynchronous copies happen when no thread can run, or at once in eager mode. False: nothing pending.
bool run_async_copies(struct Block& b);

struct Block {
  // launch
  unsigned nthreads = 0, nwarps = 0;
  void (*invoke)(void*) = nullptr;
  void* args = nullptr;
  std::string_view name;
  size_t smem_bytes = 0;
  // scheduling
  unsigned cur = 0, cur_warp = 0, alive = 0;
  uint32_t ready_warps = 0, spinning_warps = 0;
  Schedule schedule = Schedule::forward;
  uint64_t rng = 1;
  unsigned atomic_spins = 0;
  unsigned spin_rounds = 0;
  double spin_start = 0;
  // block barrier
  unsigned bar_arrived = 0, bar_phase = 0;
  Loc bar_loc{nullptr, 0};
  int bar_count = 0, bar_result = 0;
  BlockReduce bar_kind = BlockReduce::none;
  NamedBarrier named[16];
  bool named_used = false;
  bool copies_used = false;
  std::vector<TmaCopy> tma;                  // issued, not yet performed
  std::unique_ptr<WarpWgmma> wgmma[32];
  // results
  bool failed = false;
  std::string message;
  // storage
  char* smem = nullptr;          // dynamic shared memory, 1024-byte aligned
  size_t smem_capacity = 0;
  Fiber main;
  std::vector<Fiber*> pool;
  std::vector<std::unique_ptr<Fiber>> fibers;
  void* tsan_main = nullptr;
  void* tsan_async = nullptr;
  char tsan_bar[2], tsan_start, tsan_done, tsan_warp[32];
  Warp warps[32];
  Thread threads[1024];
  uint3 tid[1024];
};

extern thread_local Block* tl_block CUDAEMU_TLS;
inline Block& block() { return *tl_block; }

[[noreturn]] void fail(Block& b, std::string message);
std::string where(const Block& b, unsigned thread);
std::string describe(Loc l);
// Runs `perform` once for all lanes of `mask` when the last of them arrives; blocks until then.
void collective(Block& b, Op op, uint32_t mask, void* payload, Perform perform, bool aligned, Loc loc);
// Blocks the running thread (already recorded as waiting) until made ready.
void suspend(Block& b);
void make_ready(Block& b, unsigned thread);
bool in_dynamic_shared(const Block& b, const void* p, size_t n);

#if defined(CUDAEMU_TSAN)
extern "C" {
void* __tsan_create_fiber(unsigned);
void __tsan_destroy_fiber(void*);
void* __tsan_get_current_fiber();
void __tsan_switch_to_fiber(void*, unsigned);
void __tsan_acquire(void*);
void __tsan_release(void*);
void __tsan_read_range(void*, unsigned long);
void __tsan_write_range(void*, unsigned long);
}
// Under TSan the asynchronous copy and matrix units are one extra thread: it does their memory accesses.
// Constructed by the issuing or waiting thread; what that thread did before happens before what the unit does,
// and what the unit did happens before the thread's later work if `join`.
struct AsyncUnit {
  Block& b;
  void* caller;
  bool join;
  explicit AsyncUnit(Block& blk, bool join_ = false) : b(blk), caller(__tsan_get_current_fiber()), join(join_) {
    if (!b.tsan_async) b.tsan_async = __tsan_create_fiber(0);
    __tsan_release(&b.tsan_async);
    __tsan_switch_to_fiber(b.tsan_async, 1);
    __tsan_acquire(&b.tsan_async);
  }
  ~AsyncUnit() {
    if (join) __tsan_release(&b.tsan_async);
    __tsan_switch_to_fiber(caller, 1);
    if (join) __tsan_acquire(&b.tsan_async);
  }
};
inline void note_read(const void* p, size_t n) { __tsan_read_range(const_cast<void*>(p), n); }
inline void note_write(void* p, size_t n) { __tsan_write_range(p, n); }
#else
struct AsyncUnit { explicit AsyncUnit(Block&, bool = false) {} ~AsyncUnit() {} };
inline void __tsan_acquire(void*) {}
inline void __tsan_release(void*) {}
#if defined(__SANITIZE_ADDRESS__)
extern "C" void __asan_loadN(unsigned long, unsigned long);
extern "C" void __asan_storeN(unsigned long, unsigned long);
inline void note_read(const void* p, size_t n) { __asan_loadN(reinterpret_cast<unsigned long>(p), n); }
inline void note_write(void* p, size_t n) { __asan_storeN(reinterpret_cast<unsigned long>(p), n); }
#else
inline void note_read(const void*, size_t) {}
inline void note_write(void*, size_t) {}
#endif
#endif

}  // namespace emu
