#include "kernels/cuda/emulation/warp.h"
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/scheduler.h"

namespace tapetum::emulation {
namespace {

void finish(Block& b, unsigned w, Group& g) {
  Warp& warp = b.warps[w];
  if (g.aligned && g.arrived != ~0u) fail(b, "{} {} needs all 32 lanes of the warp", op_name(g.op), g.at);
  profile::flush(w, g.arrived | ~warp.alive);
  if (g.op == Op::syncwarp) profile::meet(w, g.arrived);
  g.perform(warp.payload, g.arrived);
  warp.ready |= g.arrived;
  b.ready_warps |= 1u << w;
  g = warp.groups[--warp.groups_open];
}

// The group of this operation, new if this lane is the first to arrive. Reports lanes that can never meet.
Group& join(Block& b, Op op, uint32_t mask, Perform perform, bool aligned, Loc at) {
  const unsigned w = b.current / kLanes, lane = b.current % kLanes;
  Warp& warp = b.warps[w];
  for (int i = 0; i < warp.groups_open; ++i) {
    Group& g = warp.groups[i];
    if (g.mask == mask && g.op == op) {
      if (g.perform != perform || (aligned && g.at.line != at.line))
        fail(b, "warp {}: lanes execute different instructions: {} {} and {}", w, op_name(op), at, g.at);
      return g;
    }
    const bool each_waits_for_the_other = (g.mask >> lane & 1) && (g.arrived & mask);
    if (each_waits_for_the_other)
      fail(b, "warp {}: lane {} is at {} {} while lanes it names wait at {} {}{}", w, lane, op_name(op), at, op_name(g.op), g.at,
           g.op == op ? " with another mask" : "");
  }
  Group& g = warp.groups[warp.groups_open++];
  g = {mask, 0, op, aligned, at, perform};
  return g;
}

}  // namespace

void collective(Block& b, Op op, uint32_t mask, void* payload, Perform perform, bool aligned, Loc at) {
  const unsigned w = b.current / kLanes, lane = b.current % kLanes;
  Warp& warp = b.warps[w];
  b.spin_rounds = 0;
  if (!(mask >> lane & 1)) fail(b, "{} {}: the calling lane {} is not in its mask", op_name(op), at, lane);
  Group& g = join(b, op, mask, perform, aligned, at);
  g.arrived |= 1u << lane;
  warp.payload[lane] = payload;
  if (g.arrived == (mask & warp.alive)) {
    finish(b, w, g);
    not_ready(b, b.current);
  } else {
    wait_for(b, op, at, mask);
  }
}

void lane_left(Block& b, unsigned t) {
  Warp& warp = b.warps[t / kLanes];
  for (int i = 0; i < warp.groups_open;) {
    Group& g = warp.groups[i];
    if ((g.mask >> t % kLanes & 1) && g.arrived == (g.mask & warp.alive))
      finish(b, t / kLanes, g);
    else
      ++i;
  }
}

void not_ready(Block& b, unsigned t) {
  Warp& warp = b.warps[t / kLanes];
  warp.ready &= ~(1u << t % kLanes);
  if (!warp.ready) b.ready_warps &= ~(1u << t / kLanes);
}

}  // namespace tapetum::emulation
