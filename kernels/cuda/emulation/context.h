// Fibers: stacks of their own between which one OS thread switches.
#pragma once
#include <cstddef>
#include <memory>
#include "kernels/cuda/emulation/sanitizers.h"

namespace tapetum::emulation {

struct Fiber {
  void* sp = nullptr;  // where it stopped
  char* stack = nullptr;
  size_t bytes = 0;
  size_t colour = 0;
  void* asan_stack = nullptr;
};

struct UnmapFiber {
  void operator()(Fiber* f) const;
};
using OwnedFiber = std::unique_ptr<Fiber, UnmapFiber>;

// A fiber that begins in run_threads (scheduler.cpp) when first switched to. `index`: its number among the fibers of its OS thread.
OwnedFiber make_fiber(size_t index);
// Forgets what it was doing: it begins anew.
void rewind_fiber(Fiber& f);
// The stack that the calling OS thread came with.
Fiber native_fiber();
// Whether `address` lies in the page below the stack.
bool overflowed(const Fiber& f, const void* address);

extern "C" void tapetum_emulation_switch(void** save_sp, void* load_sp);

inline void switch_fiber(Fiber& from, const Fiber& to) {
  asan_leave_stack(&from.asan_stack, to.stack, to.bytes);
  tapetum_emulation_switch(&from.sp, to.sp);
  asan_enter_stack(from.asan_stack);
}

}  // namespace tapetum::emulation
