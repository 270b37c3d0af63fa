// Which CUDA thread of a block runs. A thread runs until it must wait; then the next one is chosen from the ready ones.
#pragma once
#include "kernels/cuda/emulation/block.h"

namespace tapetum::emulation {

// Runs the block from start to end. False: it failed, and b.message says why.
bool run_block(Block& b, uint3 index);

// The running thread waits for others until somebody makes it ready.
void wait_for(Block& b, Op op, Loc at, uint32_t mask = 0);
void make_ready(Block& b, unsigned thread);
// Leaves a block that failed: the running thread is never resumed.
[[noreturn]] void abandon(Block& b);
// New fibers until there are n.
void grow_fibers(Block& b, unsigned n);

// Reactions of the other rooms to what the scheduler does.
void thread_left(Block& b, unsigned thread);  // barriers and warp operations no longer wait for it
void clear_barriers(Block& b);
void clear_copies(Block& b);
void clear_hopper(Block& b);
void run_async_copies(Block& b);  // TMA: as late as possible, that is when no thread can run

}  // namespace tapetum::emulation
