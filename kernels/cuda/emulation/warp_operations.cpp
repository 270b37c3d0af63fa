// Shuffles, votes, matches and reductions within a warp.
#include <algorithm>
#include <bit>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/warp.h"

namespace tapetum::emulation {
namespace {

template <class F> void for_lanes(uint32_t lanes, F f) {
  for (; lanes; lanes &= lanes - 1) f(std::countr_zero(lanes));
}

struct Shuffle {
  uint64_t in, out;
  Shfl mode;
  int arg, width;
};

// The lane that `lane` reads. A source outside its segment of `width` lanes: its own value.
int source_of(const Shuffle& s, int lane) {
  const int first = lane & ~(s.width - 1), last = lane | (s.width - 1);
  switch (s.mode) {
    case Shfl::idx:
      return first | (s.arg & (s.width - 1));
    case Shfl::up:
      return s.arg > lane - first || s.arg < 0 ? lane : lane - s.arg;
    case Shfl::down:
      return s.arg > last - lane || s.arg < 0 ? lane : lane + s.arg;
    case Shfl::xor_:
      return (lane ^ s.arg) > last ? lane : (lane ^ s.arg) & 31;
  }
  return lane;
}

void perform_shuffle(void* const* payload, uint32_t active) {
  for_lanes(active, [&](int lane) {
    auto& s = *static_cast<Shuffle*>(payload[lane]);
    const int from = source_of(s, lane);
    if (!(active >> from & 1)) {
      Block& b = block();
      const Thread& reader = b.threads[b.current / kLanes * kLanes + static_cast<unsigned>(lane)];
      const Loc at = reader.wait == Op::shfl ? reader.at : b.warps[b.current / kLanes].groups[0].at;
      fail(b, "warp shuffle {}: lane {} reads lane {}, which does not take part", at, lane, from);
    }
    s.out = static_cast<Shuffle*>(payload[from])->in;
  });
}

struct Word {
  uint64_t in;
  uint32_t out = 0;
  Reduce op = Reduce::add;
  bool all_equal = false;
};
Word& word(void* const* payload, int lane) { return *static_cast<Word*>(payload[lane]); }

void perform_ballot(void* const* payload, uint32_t active) {
  uint32_t votes = 0;
  for_lanes(active, [&](int lane) { votes |= static_cast<uint32_t>(word(payload, lane).in) << lane; });
  for_lanes(active, [&](int lane) { word(payload, lane).out = votes; });
}

void perform_match_any(void* const* payload, uint32_t active) {
  for_lanes(active, [&](int lane) {
    Word& w = word(payload, lane);
    w.out = 0;
    for_lanes(active, [&](int other) { w.out |= static_cast<uint32_t>(word(payload, other).in == w.in) << other; });
  });
}

void perform_match_all(void* const* payload, uint32_t active) {
  const uint64_t value = word(payload, std::countr_zero(active)).in;
  bool equal = true;
  for_lanes(active, [&](int lane) { equal &= word(payload, lane).in == value; });
  for_lanes(active, [&](int lane) {
    word(payload, lane).out = equal ? active : 0;
    word(payload, lane).all_equal = equal;
  });
}

uint32_t combine(Reduce op, uint32_t a, uint32_t b) {
  const auto x = static_cast<int32_t>(a), y = static_cast<int32_t>(b);
  switch (op) {
    case Reduce::add:
      return a + b;
    case Reduce::min_s:
      return static_cast<uint32_t>(std::min(x, y));
    case Reduce::max_s:
      return static_cast<uint32_t>(std::max(x, y));
    case Reduce::min_u:
      return std::min(a, b);
    case Reduce::max_u:
      return std::max(a, b);
    case Reduce::and_:
      return a & b;
    case Reduce::or_:
      return a | b;
    case Reduce::xor_:
      return a ^ b;
  }
  return 0;
}

void perform_reduce(void* const* payload, uint32_t active) {
  const Word& first = word(payload, std::countr_zero(active));
  auto total = static_cast<uint32_t>(first.in);
  for_lanes(active & (active - 1), [&](int lane) { total = combine(first.op, total, static_cast<uint32_t>(word(payload, lane).in)); });
  for_lanes(active, [&](int lane) { word(payload, lane).out = total; });
}

void perform_nothing(void* const*, uint32_t) {}

}  // namespace

uint64_t warp_shfl(unsigned mask, uint64_t bits, Shfl mode, int arg, int width, Loc at) {
  profile::operation(profile::Kind::shuffle, TAPETUM_EMULATION_CALLER);
  Block& b = block();
  if (width < 1 || width > 32 || !std::has_single_bit(static_cast<unsigned>(width))) fail(b, "warp shuffle {}: width {}", at, width);
  Shuffle s{bits, 0, mode, arg, width};
  collective(b, Op::shfl, mask, &s, perform_shuffle, false, at);
  return s.out;
}

unsigned warp_ballot(unsigned mask, bool pred, Loc at) {
  profile::operation(profile::Kind::vote, TAPETUM_EMULATION_CALLER);
  Word w{pred};
  collective(block(), Op::vote, mask, &w, perform_ballot, false, at);
  return w.out;
}

unsigned warp_match_any(unsigned mask, uint64_t v, Loc at) {
  profile::operation(profile::Kind::vote, TAPETUM_EMULATION_CALLER);
  Word w{v};
  collective(block(), Op::match, mask, &w, perform_match_any, false, at);
  return w.out;
}

unsigned warp_match_all(unsigned mask, uint64_t v, int* pred, Loc at) {
  profile::operation(profile::Kind::vote, TAPETUM_EMULATION_CALLER);
  Word w{v};
  collective(block(), Op::match, mask, &w, perform_match_all, false, at);
  if (pred) *pred = w.all_equal;
  return w.out;
}

unsigned warp_reduce(unsigned mask, unsigned v, Reduce op, Loc at) {
  profile::operation(profile::Kind::vote, TAPETUM_EMULATION_CALLER);
  Word w{.in = v, .op = op};
  collective(block(), Op::reduce, mask, &w, perform_reduce, false, at);
  return w.out;
}

void warp_sync(unsigned mask, Loc at) {
  profile::operation(profile::Kind::syncwarp, TAPETUM_EMULATION_CALLER);
  Block& b = block();
  char* sync = &b.tsan_warp[b.current / kLanes];
  tsan_release(sync);
  collective(b, Op::syncwarp, mask, nullptr, perform_nothing, false, at);
  tsan_acquire(sync);
}

unsigned active_mask() { return 1u << block().current % kLanes; }  // the least that CUDA promises
unsigned thread_index() { return block().current; }

// TSan knows no fence. To it each comes after all before it: what one thread wrote in front of a fence, another may read behind a later one.
void fence() {
  static char fences;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  profile::fence();
  tsan_acquire(&fences);
  tsan_release(&fences);
}

}  // namespace tapetum::emulation
