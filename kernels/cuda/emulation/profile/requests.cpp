#include "kernels/cuda/emulation/profile/requests.h"
#include <algorithm>
#include <bit>
#include "kernels/cuda/emulation/profile/trace.h"

namespace tapetum::emulation::profile {
namespace {

constexpr uintptr_t kSector = 32, kCacheLine = 128;

template <class F> void for_lanes(uint32_t lanes, F f) {
  for (; lanes; lanes &= lanes - 1) f(static_cast<unsigned>(std::countr_zero(lanes)));
}

// How many units of so many bytes [begin, end) touches, without those before `next`, which moves behind it.
uint64_t new_units(uintptr_t begin, uintptr_t end, uintptr_t unit, uintptr_t& next) {
  const uintptr_t first = std::max(begin / unit, next), behind = (end - 1) / unit + 1;
  next = std::max(next, behind);
  return behind > first ? behind - first : 0;
}

// Passes over the 32 banks of 4-byte words: the most different words in one bank. A word that several lanes want is sent to all at once.
unsigned passes(const uint64_t* values, int n) {
  uintptr_t words[32][32];
  unsigned count[32] = {}, most = 0;
  for (int i = 0; i < n; ++i) {
    const uintptr_t first = address_of(values[i]) / 4, last = (address_of(values[i]) + bytes_of(values[i]) - 1) / 4;
    for (uintptr_t w = first; w <= last; ++w) {
      auto& bank = words[w % 32];
      unsigned& n_bank = count[w % 32];
      if (std::find(bank, bank + n_bank, w) != bank + n_bank || n_bank == 32) continue;
      bank[n_bank++] = w;
      most = std::max(most, n_bank);
    }
  }
  return most;
}

// Lanes that are served together: 8 for accesses of 16 bytes and for each matrix of an ldmatrix, 16 for 8 bytes, otherwise all.
unsigned lanes_together(Kind kind, unsigned size) { return kind == Kind::ldmatrix || size == 16 ? 8 : size == 8 ? 16 : 32; }

void count_wavefronts(Counters& c, uint32_t lanes, const Lanes& values, unsigned together) {
  for (unsigned first = 0; first < 32; first += together) {
    uint64_t part[32];
    int n = 0;
    for_lanes(lanes & (first_lanes(together) << first), [&](unsigned l) { part[n++] = values[l]; });
    if (n == 0) continue;
    c.wavefronts += passes(part, n);
    ++c.ideal_wavefronts;
  }
}

// The longest run of one value.
uint64_t most_in_common(const uint64_t* sorted, size_t n) {
  uint64_t most = 0, run = 0;
  for (size_t i = 0; i < n; ++i) {
    run = i && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    most = std::max(most, run);
  }
  return most;
}

}  // namespace

void count_sectors(Counters& c, const Span* ranges, size_t n, TouchedBytes* touched) {
  uintptr_t next_sector = 0, next_line = 0, counted = 0;
  uint64_t distinct = 0;
  for (size_t i = 0; i < n; ++i) {
    const uintptr_t begin = std::max(ranges[i].begin, counted), end = ranges[i].end;
    if (begin >= end) continue;
    counted = end;
    distinct += end - begin;
    c.sectors += new_units(begin, end, kSector, next_sector);
    c.cache_lines += new_units(begin, end, kCacheLine, next_line);
    if (touched) touched->add(begin, end);
  }
  c.ideal_sectors += (distinct + kSector - 1) / kSector;
}

Counters count_access(Kind kind, uint32_t lanes, const Lanes& values, TouchedBytes* touched) {
  Counters c;
  c.requests = 1;
  c.lanes = static_cast<unsigned>(std::popcount(lanes));
  uint64_t sorted[32];
  size_t n = 0;
  for_lanes(lanes, [&](unsigned l) {
    sorted[n++] = values[l];
    c.bytes += bytes_of(values[l]);
  });
  if (is_shared(kind)) count_wavefronts(c, lanes, values, lanes_together(kind, bytes_of(sorted[0])));
  if (!is_global(kind) && !is_atomic(kind)) return c;
  std::sort(sorted, sorted + n);
  if (is_atomic(kind)) c.serial = most_in_common(sorted, n);
  if (!is_global(kind)) return c;
  Span ranges[32];
  for (size_t i = 0; i < n; ++i) ranges[i] = {address_of(sorted[i]), address_of(sorted[i]) + bytes_of(sorted[i])};
  count_sectors(c, ranges, n, touched);
  return c;
}

std::vector<Wavefront> wavefronts_of(const Request& r) {
  std::vector<Wavefront> all;
  const unsigned together = lanes_together(r.kind, r.size);
  for (unsigned first = 0; first < 32; first += together) {
    std::array<std::vector<uintptr_t>, 32> words;  // of each bank, one for each wavefront
    const size_t begin = all.size();
    for_lanes(r.lanes & (first_lanes(together) << first), [&](unsigned l) {
      for (uintptr_t w = r.address[l] / 4; w <= (r.address[l] + r.size - 1) / 4; ++w) {
        auto& bank = words[w % 32];
        if (std::find(bank.begin(), bank.end(), w) != bank.end()) continue;
        bank.push_back(w);
        if (all.size() < begin + bank.size()) all.emplace_back().fill(-1);
        all[begin + bank.size() - 1][w % 32] = static_cast<int>(l);
      }
    });
  }
  return all;
}

bool WideAccess::continues(uint32_t lanes, const Lanes& values, unsigned size) const {
  if (!site_ || lanes != lanes_ || bytes_ + size > most_) return false;
  bool neighbours = true;
  for_lanes(lanes, [&](unsigned l) { neighbours = neighbours && address_of(values[l]) == address_of(first_[l]) + bytes_; });
  return neighbours;
}

void WideAccess::add(Counters& site, Kind kind, uint32_t lanes, const Lanes& values, const Counters& cost) {
  const unsigned size = bytes_of(values[static_cast<size_t>(std::countr_zero(lanes))]);
  if (!continues(lanes, values, size)) {
    finish();
    uintptr_t low_bits = 16;
    for_lanes(lanes, [&](unsigned l) { low_bits |= address_of(values[l]); });
    site_ = &site;
    kind_ = kind;
    lanes_ = lanes;
    bytes_ = 0;
    most_ = 1u << std::countr_zero(low_bits);
    first_ = values;
    parts_ = {};
  }
  bytes_ += size;
  parts_ += cost;
}

void WideAccess::finish() {
  if (!site_) return;
  Counters cost = parts_;
  if (parts_.requests > 1 && std::has_single_bit(bytes_)) {
    for_lanes(lanes_, [&](unsigned l) { first_[l] = access_value(address_of(first_[l]), bytes_); });
    cost = count_access(kind_, lanes_, first_, nullptr);
  }
  site_->wide_requests += cost.requests;
  site_->wide_sectors += cost.sectors;
  site_->wide_wavefronts += cost.wavefronts;
  site_ = nullptr;
}

}  // namespace tapetum::emulation::profile
