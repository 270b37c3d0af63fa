// Where the emulator tells the profiler what a kernel does. Nothing, except in trees of the preset gpu-profile.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>
#include "kernels/cuda/emulation/location.h"
#include "kernels/cuda/emulation/profile/kind.h"

namespace tapetum::emulation {
struct Block;
struct LaunchDesc;
struct TensorMap;
namespace profile {
struct Span {  // of addresses
  uintptr_t begin, end;
};
}  // namespace profile

std::vector<profile::Span> device_allocations();               // memory.cpp
std::vector<profile::Span> guarded_allocations();              // with the zones around them that nobody may touch
std::optional<profile::Span> allocation_near(uintptr_t at);    // in whose zone `at` lies
std::vector<profile::Span> shared_variables_of_this_thread();  // shared_memory.cpp
}  // namespace tapetum::emulation

#if defined(TAPETUM_EMULATION_PROFILED)
#define TAPETUM_EMULATION_CALLER reinterpret_cast<uintptr_t>(__builtin_return_address(0))

namespace tapetum::emulation::profile {

inline constexpr bool kProfiled = true;

bool counts();  // whether the launch that begins is counted: then one thread runs all of its blocks
void begin_launch(const LaunchDesc& launch);
void end_launch();
void begin_block(const Block& b);

void enter_thread(unsigned thread);  // this thread of the block runs from now on
void leave_thread();                 // none does
// Puts what these lanes did since the last time into lockstep and counts it. Whatever may make one lane wait for another comes after it.
void flush(unsigned warp, uint32_t lanes);
void flush(const Block& b);

// The running thread takes part in an operation of the emulator, called at `caller`.
void access(Kind kind, uintptr_t caller, const void* at, unsigned bytes);
void operation(Kind kind, uintptr_t caller, uint64_t bytes = 0, uint64_t flops = 0);
void tma_copy(uintptr_t caller, const TensorMap& map, const int* first);  // of the box that begins at element `first`

// To the race detector, in what order threads do things. What each of those that meet did before, all of them know after.
void meet(unsigned warp, uint32_t lanes);
void meet(const Block& b, Loc at);                  // all that have not returned
void release(const void* object);                   // what the running thread did ...
void acquire(const void* object, unsigned thread);  // ... comes before what this one does from now on
void forget(const void* object);
void fence();

}  // namespace tapetum::emulation::profile

#else
#define TAPETUM_EMULATION_CALLER 0

namespace tapetum::emulation::profile {

inline constexpr bool kProfiled = false;

constexpr bool counts() { return false; }
inline void begin_launch(const LaunchDesc&) {}
inline void end_launch() {}
inline void begin_block(const Block&) {}
inline void enter_thread(unsigned) {}
inline void leave_thread() {}
inline void flush(unsigned, uint32_t) {}
inline void flush(const Block&) {}
inline void access(Kind, uintptr_t, const void*, unsigned) {}
inline void operation(Kind, uintptr_t, uint64_t = 0, uint64_t = 0) {}
inline void tma_copy(uintptr_t, const TensorMap&, const int*) {}
inline void meet(unsigned, uint32_t) {}
inline void meet(const Block&, Loc) {}
inline void release(const void*) {}
inline void acquire(const void*, unsigned) {}
inline void forget(const void*) {}
inline void fence() {}

}  // namespace tapetum::emulation::profile
#endif
