// Which bytes belong to what, and which were touched.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <unordered_map>
#include <vector>
#include "kernels/cuda/emulation/profile/hooks.h"

namespace tapetum::emulation::profile {

// Ranges of addresses that do not overlap.
class Spans {
 public:
  Spans() = default;
  explicit Spans(std::vector<Span> spans) : spans_(std::move(spans)) {
    std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
    if (!spans_.empty()) hull_ = {spans_.front().begin, spans_.back().end};
  }
  bool contains(uintptr_t a) {
    if (a < hull_.begin || a >= hull_.end) return false;
    if (a >= last_.begin && a < last_.end) return true;
    const auto behind = std::upper_bound(spans_.begin(), spans_.end(), a, [](uintptr_t x, const Span& s) { return x < s.begin; });
    if (behind == spans_.begin() || a >= behind[-1].end) return false;
    last_ = behind[-1];
    return true;
  }

 private:
  std::vector<Span> spans_;
  Span hull_{}, last_{};
};

// Each byte once, however often it is touched.
class TouchedBytes {
 public:
  void add(uintptr_t begin, uintptr_t end) {
    while (begin < end) {
      const uintptr_t word = begin / 64, stop = std::min(end, (word + 1) * 64);
      const uint64_t bits = stop - begin == 64 ? ~uint64_t{0} : ((uint64_t{1} << (stop - begin)) - 1) << begin % 64;
      page(word / kWords)[word % kWords] |= bits;
      begin = stop;
    }
  }
  uint64_t count() const {
    uint64_t n = 0;
    for (const auto& [number, words] : pages_)
      for (uint64_t w : words) n += static_cast<unsigned>(std::popcount(w));
    return n;
  }

 private:
  static constexpr uintptr_t kWords = 64;  // a bit a byte: pages of 4096 bytes
  using Page = std::array<uint64_t, kWords>;

  Page& page(uintptr_t number) {
    if (number != last_number_) {
      last_ = &pages_[number];
      last_number_ = number;
    }
    return *last_;
  }

  std::unordered_map<uintptr_t, Page> pages_;
  uintptr_t last_number_ = ~uintptr_t{0};
  Page* last_ = nullptr;
};

}  // namespace tapetum::emulation::profile
