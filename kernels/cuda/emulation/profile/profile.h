// What emulated kernels do to memory, counted per source line as a GPU would count it: warp requests, sectors, bank conflicts.
// In trees of the preset gpu-profile alone. docs/profiling-kernels.md says what is counted, and how.
//
//   const auto kernels = profile::kernels_of([&] { gpu::launch<transpose>({.grid = 8, .block = 256}, x, y, n); });
//   kernels[0].total(profile::Kind::shared_load).wavefronts;   // of the kernel
//   for (const profile::Line& line : kernels[0].lines) ...     // of each line
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>
#include "kernels/cuda/emulation/profile/kind.h"
#include "kernels/cuda/emulation/vector_types.h"

namespace tapetum::emulation::profile {

const char* name_of(Kind kind);  // "global load"
inline bool is_global(Kind k) { return k >= Kind::global_load && k <= Kind::tma_load; }
inline bool is_shared(Kind k) { return k >= Kind::shared_load && k <= Kind::ldmatrix; }
inline bool is_atomic(Kind k) { return k == Kind::global_atomic || k == Kind::shared_atomic; }

struct Counters {
  uint64_t requests = 0;          // instructions that warps issued
  uint64_t lanes = 0;             // that took part, summed over the requests
  uint64_t bytes = 0;             // that they asked for
  uint64_t sectors = 0;           // global: pieces of 32 bytes touched, request by request
  uint64_t ideal_sectors = 0;     //   the fewest that the distinct bytes of each request fit in
  uint64_t cache_lines = 0;       //   pieces of 128 bytes
  uint64_t wavefronts = 0;        // shared: passes over the 32 banks
  uint64_t ideal_wavefronts = 0;  //   without a conflict: one per quarter, half or whole warp, by the width of the access
  uint64_t serial = 0;            // atomics: how many lanes met at one address at most, summed over the requests
  uint64_t flops = 0;             // of matrix instructions; a multiply-add is two
  // If each thread's accesses to neighbouring addresses, one after the other, were one of up to 16 bytes.
  uint64_t wide_requests = 0, wide_sectors = 0, wide_wavefronts = 0;

  Counters& operator+=(const Counters& other);
  bool operator==(const Counters&) const = default;
};

struct Line : Counters {
  std::string file;  // from the root of the sources: "kernels/cuda/softmax.cu"
  int line = 0;
  Kind kind{};
  unsigned size = 0;  // bytes that a lane asks for; 0 where no lane does
};

struct Kernel {
  std::string name;
  dim3 grid, block;
  uint64_t launches = 0;
  uint64_t unique_read = 0, unique_written = 0;  // bytes of device memory, each once a launch: what has to move whatever the kernel does
  Counters blocks;                               // requests: basic blocks that warps ran; lanes: active in them
  std::vector<Line> lines;                       // by file, line, kind and size

  Counters total(Kind kind) const;
  uint64_t loaded() const;  // bytes of the sectors of all loads, cp.async and TMA
  uint64_t stored() const;  // of stores and atomics
  uint64_t flops() const;   // of matrix instructions
};

// One instruction of a warp, lane by lane.
struct Request {
  std::string file;
  int line = 0;
  Kind kind{};
  unsigned launch = 0, warp = 0;      // counted from 0
  uint32_t lanes = 0;                 // those that take part
  unsigned size = 0;                  // bytes of each
  std::array<uintptr_t, 32> address;  // of each lane that takes part
};

// Launches are counted from start to stop, one OS thread running all blocks meanwhile. By kernel and shape of the launch, in the order of their
// first ones: alike ones add up. A launch counts if it runs between the two: with lazy streams that is when something waits for it.
void start();
void stop();
void clear();
std::vector<Kernel> report();  // throws std::runtime_error where addr2line (of binutils), which names the lines, cannot be run

// What `work` launches, and it alone: also while start() counts, which does not hear of it. `which` is asked before each launch whether it
// counts, on the thread that runs it: with eager streams the one that launches.
std::vector<Kernel> kernels_of(const std::function<void()>& work, const std::function<bool()>& which = {});

// The requests for memory of one block of each launch of `work`, in the order in which they were made: of the block in the middle of the grid,
// which the ends of the data leave alone.
std::vector<Request> requests_of(const std::function<void()>& work);

// Of a request to shared memory: in each of its wavefronts the lane that each bank serves; -1: none. Of lanes that share a word the lowest.
using Wavefront = std::array<int, 32>;
std::vector<Wavefront> wavefronts_of(const Request& request);

std::string source_of(const Line& line);               // its text; empty where the sources are not at hand
std::string text(const std::vector<Kernel>& kernels);  // for people: each line with its source and a remark where something is wrong
std::string json(const std::vector<Kernel>& kernels);

}  // namespace tapetum::emulation::profile
