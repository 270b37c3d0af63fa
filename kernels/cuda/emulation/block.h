// The state of the one thread block that an OS thread runs. Sets of lanes and of warps are bit masks.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "kernels/cuda/emulation/collectives.h"
#include "kernels/cuda/emulation/config.h"
#include "kernels/cuda/emulation/context.h"
#include "kernels/cuda/emulation/hopper.h"
#include "kernels/cuda/emulation/qualifiers.h"
#include "kernels/cuda/emulation/shared_memory.h"

namespace tapetum::emulation {

inline constexpr unsigned kMaxThreads = 1024, kMaxWarps = 32, kLanes = 32, kNamedBarriers = 16;

// What a thread waits for.
enum class Op : uint8_t { none, syncthreads, named_barrier, syncwarp, shfl, vote, match, reduce, ldmatrix, mma, wgmma, mbarrier, spin };

struct AsyncCopy {
  void* to;
  const void* from;
  int bytes, read_bytes;  // the rest is filled with zeros
  unsigned group;
};
struct AsyncCopies {
  std::vector<AsyncCopy> pending;
  unsigned group = 0;
};

struct Thread {
  Fiber* fiber = nullptr;  // null until the thread first runs
  Op wait = Op::none;
  uint32_t mask = 0;  // of a warp operation: who takes part; of a named barrier: its number
  Loc at;
  const void* object = nullptr;  // the mbarrier waited for, and the parity of its phase
  uint32_t parity = 0;
  std::unique_ptr<AsyncCopies> copies;
  void* tsan = nullptr;
};

// Lanes that meet at one warp operation. Several groups of a warp may be open, with different masks.
using Perform = void (*)(void* const* payload, uint32_t active);
struct Group {
  uint32_t mask = 0, arrived = 0;
  Op op = Op::none;
  bool aligned = false;
  Loc at;
  Perform perform = nullptr;
};
struct Warp {
  uint32_t ready = 0, alive = 0, spinning = 0;
  int groups_open = 0;
  Group groups[kLanes];
  void* payload[kLanes];
};

struct BlockBarrier {
  unsigned arrived = 0, phase = 0;
  Loc at;
  BlockReduce kind = BlockReduce::none;
  int count = 0, result = 0;
  char tsan[2];
};
struct NamedBarrier {
  unsigned arrived = 0, expected = 0;
  std::vector<unsigned> waiting;
};

struct TmaCopy {
  char* to;
  TensorMap map;
  std::array<int, TensorMap::kDims> first;
  uint64_t* bar;
};
// An accumulator tile with wgmma in flight: its values live in `values` until the warp waits.
struct WgmmaTile {
  float* registers[kLanes];
  int n;
  std::vector<float> values;
  unsigned last_group;
};
struct WgmmaOp {
  Wgmma kind;
  const float* tile;
  uint64_t a, b;
  std::vector<float> rows_of_a;  // 16 x 16, of a warp that has them in registers
  bool accumulate, executed;
  unsigned group;
};
struct WarpWgmma {
  std::vector<WgmmaOp> ops;
  std::vector<WgmmaTile> tiles;
  unsigned group = 0;
  bool fenced = false;  // since the threads may have changed registers
};

struct Block {
  // The launch.
  unsigned nthreads = 0, nwarps = 0;
  void (*invoke)(void*) = nullptr;
  void* args = nullptr;
  std::string_view name;
  Schedule schedule = Schedule::forward;

  // Who runs, and who may run next.
  unsigned current = 0, current_warp = 0, alive = 0;
  uint32_t ready_warps = 0, spinning_warps = 0;
  uint64_t random = 1;
  unsigned atomic_spins = 0, spin_rounds = 0;
  double spin_start = 0;
  std::array<Warp, kMaxWarps> warps;
  std::array<Thread, kMaxThreads> threads;
  std::array<uint3, kMaxThreads> thread_idx;

  // Where they meet.
  BlockBarrier barrier;
  std::array<NamedBarrier, kNamedBarriers> named;

  // What runs in the background.
  bool copies_used = false;
  std::vector<TmaCopy> tma;
  std::vector<uint64_t*> unfenced_mbarriers;
  std::array<std::unique_ptr<WarpWgmma>, kMaxWarps> wgmma;

  bool failed = false;
  std::string message;

  DynamicShared dynamic_shared;
  StaticShared static_shared;
  Fiber native;              // the stack of the OS thread
  std::vector<Fiber*> idle;  // fibers that no thread uses
  std::vector<OwnedFiber> fibers;
  void* tsan_native = nullptr;
  void* tsan_async = nullptr;
  char tsan_start, tsan_done, tsan_warp[kMaxWarps];
};

extern thread_local Block* current_block TAPETUM_EMULATION_TLS;
inline Block& block() { return *current_block; }

inline uint32_t first_lanes(unsigned n) { return n >= kLanes ? ~0u : (1u << n) - 1; }

}  // namespace tapetum::emulation
