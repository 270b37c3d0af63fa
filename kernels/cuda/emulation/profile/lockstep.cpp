// Puts the lanes of a warp back into lockstep and counts what they do together.
#include <algorithm>
#include <array>
#include <bit>
#include <vector>
#include "kernels/cuda/emulation/hopper.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/profile/requests.h"
#include "kernels/cuda/emulation/profile/session.h"
#include "kernels/cuda/emulation/profile/trace.h"

namespace tapetum::emulation::profile {
namespace {

// One each for loads and stores of global and of shared memory: a copy alternates between them.
std::array<WideAccess, 4> wide;

WideAccess* wide_of(Kind k) {
  switch (k) {
    case Kind::global_load:
      return &wide[0];
    case Kind::global_store:
      return &wide[1];
    case Kind::shared_load:
      return &wide[2];
    case Kind::shared_store:
      return &wide[3];
    default:
      return nullptr;
  }
}

TouchedBytes* touched_by(Launch& launch, Kind k) {
  if (!is_global(k)) return nullptr;
  return k == Kind::global_store || k == Kind::global_atomic ? &launch.written : &launch.read;
}

// One instruction of a warp.
void count(Launch& launch, unsigned warp, uint64_t key, uint32_t lanes, const Lanes& values) {
  const Kind kind = kind_of(key);
  Counters& site = kind == Kind::block ? launch.record.kernel.blocks : launch.record.sites[key & kSite];
  if (is_global(kind) || is_shared(kind)) {
    const Counters cost = count_access(kind, lanes, values, touched_by(launch, kind));
    site += cost;
    if (WideAccess* w = wide_of(kind)) w->add(site, kind, lanes, values, cost);
    if (launch.requests) launch.requests->push_back({key & kSite, launch.number, warp, lanes, values});
    return;
  }
  ++site.requests;
  site.lanes += static_cast<unsigned>(std::popcount(lanes));
  if (kind == Kind::block) return;
  const uint64_t value = values[static_cast<size_t>(std::countr_zero(lanes))];
  site.bytes += value >> 32;
  site.flops += value & 0xffff'ffffu;
}

// The traces of some lanes of a warp, each read up to its `next` entry.
struct Readers {
  Trace* warp;
  std::array<Entry*, 32> next{};
  uint32_t unread = 0, cut = 0;  // lanes

  Readers(Trace* first, uint32_t lanes) : warp(first) {
    for (uint32_t left = lanes; left; left &= left - 1) {
      const auto l = static_cast<size_t>(std::countr_zero(left));
      next[l] = warp[l].begin();
      if (next[l] != warp[l].end()) unread |= 1u << l;
      if (warp[l].is_cut()) cut |= 1u << l;
    }
  }

  // The lanes whose next entry has the smallest key: those that are ahead wait where the paths join. Gets their values.
  uint32_t together(uint64_t& key, Lanes& values) const {
    uint32_t lanes = 0;
    key = ~uint64_t{0};
    for (uint32_t left = unread; left; left &= left - 1) {
      const auto l = static_cast<size_t>(std::countr_zero(left));
      const Entry& e = *next[l];
      if (e.key < key) {
        key = e.key;
        lanes = 0;
      }
      if (e.key != key) continue;
      lanes |= 1u << l;
      values[l] = e.value;
    }
    return lanes;
  }
  void advance(uint32_t lanes) {
    for (; lanes; lanes &= lanes - 1) {
      const auto l = static_cast<size_t>(std::countr_zero(lanes));
      if (++next[l] == warp[l].end()) unread &= ~(1u << l);
    }
  }
};

}  // namespace

void flush(unsigned warp, uint32_t lanes) {
  Launch* launch = current_launch();
  if (!launch || launch->detector) return;  // or nothing is counted
  Readers readers(&traces[warp * kLanes], lanes);
  const uint32_t began = readers.unread;
  if (!began) return;
  Lanes values{};
  while (readers.unread && !(readers.cut & ~readers.unread)) {  // who was cut off might go on with any instruction
    uint64_t key;
    const uint32_t those = readers.together(key, values);
    readers.advance(those);
    count(*launch, warp, key, those, values);
  }
  for (WideAccess& w : wide) w.finish();
  for (uint32_t left = began; left; left &= left - 1) {
    const auto l = static_cast<size_t>(std::countr_zero(left));
    readers.warp[l].drop_until(readers.next[l]);
  }
}

void flush(const Block& b) {
  for (unsigned w = 0; w < b.nwarps; ++w) flush(w, ~0u);
}

// One request of one thread: the rows of the box, as far as they lie in the tensor.
void tma_copy(uintptr_t caller, const TensorMap& m, const int* first) {
  Launch* launch = current_launch();
  if (!launch) return;
  int64_t begin[TensorMap::kDims]{}, end[TensorMap::kDims];
  for (uint32_t d = 0; d < TensorMap::kDims; ++d) {
    const int64_t at = d < m.dims ? first[d] : 0;
    begin[d] = std::max<int64_t>(at, 0);
    end[d] = std::min(at + m.box[d], static_cast<int64_t>(m.sizes[d]));
  }
  std::vector<Span> rows;
  for (int64_t z = begin[3]; z < end[3]; ++z)
    for (int64_t y = begin[2]; y < end[2]; ++y)
      for (int64_t x = begin[1]; x < end[1]; ++x) {
        const char* row =
            m.base + x * static_cast<int64_t>(m.strides[1]) + y * static_cast<int64_t>(m.strides[2]) + z * static_cast<int64_t>(m.strides[3]);
        const auto at = reinterpret_cast<uintptr_t>(row);
        if (begin[0] < end[0]) rows.push_back({at + static_cast<uintptr_t>(begin[0]) * m.elem, at + static_cast<uintptr_t>(end[0]) * m.elem});
      }
  std::sort(rows.begin(), rows.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  Counters& c = launch->record.sites[key_of(0, caller, Kind::tma_load) & kSite];
  ++c.requests;
  ++c.lanes;
  for (const Span& r : rows) c.bytes += r.end - r.begin;
  count_sectors(c, rows.data(), rows.size(), &launch->read);
}

}  // namespace tapetum::emulation::profile
