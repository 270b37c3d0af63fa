#include "kernels/cuda/emulation/profile/detector.h"
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdio>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/profile/session.h"
#include "kernels/cuda/emulation/profile/trace.h"

namespace tapetum::emulation::profile {
namespace {

Detector* detector() {
  Launch* launch = current_launch();
  return launch ? launch->detector.get() : nullptr;
}

// Those of warp w.
void append(std::vector<uint32_t>& threads, uint32_t w, uint32_t lanes) {
  for (; lanes; lanes &= lanes - 1) threads.push_back(w * kLanes + static_cast<uint32_t>(std::countr_zero(lanes)));
}

Shadow::Access access_of(Kind kind) {
  switch (kind) {
    case Kind::global_store:
    case Kind::shared_store:
    case Kind::cp_async_shared:
      return Shadow::kStore;
    case Kind::global_atomic:
    case Kind::shared_atomic:
      return Shadow::kAtomic;
    default:
      return Shadow::kLoad;
  }
}

}  // namespace

void Shadow::keep(const Order& order, Lists& lists, Access access, const Touch& now) {
  const auto covered = [&](const Touch& old) { return !(old.bytes & ~now.bytes); };
  if (access == kStore) {  // whoever races with one of these, and does not come after this store, races with it too
    for (auto& list : lists) std::erase_if(list, covered);
  } else if (auto& list = lists[access]; !list.empty()) {
    if (list.back().moment == now.moment && !(now.bytes & ~list.back().bytes)) return;
    if (std::has_single_bit(list.size())) {  // now and then, so that it costs a constant each
      const auto foreign = [&](const Touch& old) { return old.moment.block != now.moment.block; };
      const auto last = std::find_if(list.rbegin(), list.rend(), foreign);  // it stands for all of other blocks
      const Touch of_another = last == list.rend() ? now : *last;
      std::erase_if(list, [&](const Touch& old) { return foreign(old) || (covered(old) && order.before(old.moment, now.moment.thread)); });
      if (foreign(of_another)) list.push_back(of_another);
    }
  }
  lists[access].push_back(now);
}

void Detector::begin_block(const Block& b) {
  order.begin_block(blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z), b.nthreads);
  shared_.clear();
  barrier_ = {};
  met_.clear();
}

void Detector::meet(const Block& b, Loc at) {
  met_.clear();
  for (uint32_t w = 0; w < b.nwarps; ++w) append(met_, w, b.warps[w].alive);
  order.meet(met_);
  barrier_ = at;
}

// Of a race's first touch: since whoever met there is ordered by it, it comes after, or by a thread that was not there.
Loc Detector::barrier_before(const Touch& first) const {
  const bool here = first.moment.block == order.now(0).block && std::binary_search(met_.begin(), met_.end(), first.moment.thread);
  return here ? barrier_ : Loc();
}

Touch Detector::now(Kind kind, uintptr_t pc) const { return {key_of(0, pc, kind) & kSite, order.now(block().current), 0}; }

void Detector::touch(Kind kind, uintptr_t pc, uintptr_t at, unsigned bytes) {
  Shadow& shadow = is_shared(kind) ? shared_ : global_;
  shadow.touch(order, access_of(kind), now(kind, pc), at, at + bytes, [&](const Touch& first, const Touch& second) {
    const auto [entry, is_new] = numbers_.try_emplace({first.site, second.site}, seen_.races.size());
    if (is_new) seen_.races.push_back({first, second, 0, barrier_before(first)});
    ++seen_.races[entry->second].times;
  });
}

void Detector::look_outside(Kind kind, uintptr_t pc, uintptr_t at, unsigned bytes) {
  const auto allocation = guarded_.contains(at) ? allocation_near(at) : std::nullopt;
  if (!allocation) return;
  char what[100];  // fail() leaves behind what its callers hold
  std::snprintf(what, sizeof what, "%s of %u bytes at byte %td of an allocation of %td", name_of(kind), bytes,
                static_cast<std::ptrdiff_t>(at - allocation->begin), static_cast<std::ptrdiff_t>(allocation->end - allocation->begin));
  found_bad(BadAccess::outside, kind, pc, what);
}

void Detector::look_misaligned(Kind kind, uintptr_t pc, uintptr_t at, unsigned bytes) {
  if (at % bytes == 0) return;
  char what[100];
  std::snprintf(what, sizeof what, "%s of %u bytes at an address that is no multiple of %u", name_of(kind), bytes, bytes);
  found_bad(BadAccess::misaligned, kind, pc, what);
}

void Detector::found_bad(BadAccess::Why why, Kind kind, uintptr_t pc, const char* what) {
  seen_.bad = SeenBad{why, now(kind, pc), what};
  fail(block(), "{}", what);
}

void meet(unsigned warp, uint32_t lanes) {
  Detector* d = detector();
  if (!d) return;
  std::vector<uint32_t> threads;
  append(threads, warp, lanes);
  d->order.meet(threads);
}
void meet(const Block& b, Loc at) {
  if (Detector* d = detector()) d->meet(b, at);
}
void release(const void* object) {
  if (Detector* d = detector()) d->order.release(object, block().current);
}
void acquire(const void* object, unsigned thread) {
  if (Detector* d = detector()) d->order.acquire(object, thread);
}
void forget(const void* object) {
  if (Detector* d = detector()) d->order.forget(object);
}
void fence() {
  if (Detector* d = detector()) d->order.fence(block().current);
}

}  // namespace tapetum::emulation::profile
