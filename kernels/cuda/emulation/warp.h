// The meeting of lanes that every warp operation is made of.
#pragma once
#include "kernels/cuda/emulation/block.h"

namespace tapetum::emulation {

// Waits until all living lanes of `mask` have arrived; the last one calls `perform` once, with the payload of each.
// `aligned`: the whole warp must arrive at the same place, as PTX demands of its .aligned instructions.
void collective(Block& b, Op op, uint32_t mask, void* payload, Perform perform, bool aligned, Loc at);
// Groups no longer wait for a thread that returned.
void lane_left(Block& b, unsigned thread);
// The running thread, which released the others, goes on instead of being scheduled.
void not_ready(Block& b, unsigned thread);

}  // namespace tapetum::emulation
