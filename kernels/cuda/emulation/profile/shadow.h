// Who touched what since it was last ordered: FastTrack (Flanagan, Freund 2009), with all concurrent readers kept, word by word.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>
#include "kernels/cuda/emulation/profile/memory.h"
#include "kernels/cuda/emulation/profile/order.h"

namespace tapetum::emulation::profile {

struct Touch {
  uint64_t site;  // program counter and kind (trace.h)
  Moment moment;
  uint8_t bytes;  // of the word: a bit each
};

class Shadow {
 public:
  enum Access { kLoad, kStore, kAtomic };

  // `found(old, now)`: for each earlier touch that this one races with.
  template <class F> void touch(const Order& order, Access access, Touch now, uintptr_t begin, uintptr_t end, F found) {
    for (uintptr_t word = begin / kWord; word * kWord < end; ++word) {
      const uintptr_t from = std::max(begin, word * kWord) - word * kWord, to = std::min(end, (word + 1) * kWord) - word * kWord;
      now.bytes = static_cast<uint8_t>((1u << to) - (1u << from));
      Lists& lists = page(word / kWords)[word % kWords];
      for (Access other : {kLoad, kStore, kAtomic})
        if (conflict(access, other))
          for (const Touch& old : lists[other])
            if ((old.bytes & now.bytes) && !order.before(old.moment, now.moment.thread)) found(old, now);
      keep(order, lists, access, now);
    }
  }
  void clear() {
    pages_.clear();
    recent_.fill({});
  }

 private:
  static constexpr uintptr_t kWord = 4, kWords = 256;  // bytes of a word, words of a page
  using Lists = std::array<std::vector<Touch>, 3>;
  using Page = std::array<Lists, kWords>;

  static bool conflict(Access a, Access b) { return a != b || a == kStore; }
  static void keep(const Order& order, Lists& lists, Access access, const Touch& now);
  Page& page(uintptr_t number) {
    Recent& r = recent_[number % recent_.size()];
    if (!r.page || r.number != number) r = {number, &pages_[number]};
    return *r.page;
  }

  std::unordered_map<uintptr_t, Page> pages_;
  struct Recent {
    uintptr_t number = 0;
    Page* page = nullptr;
  };
  std::array<Recent, 64> recent_{};  // so that most accesses need not look for their page
};

}  // namespace tapetum::emulation::profile
