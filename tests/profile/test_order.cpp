// The race detector on random programs, held against sets: what each thread knows of, event by event.
#include <bitset>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "kernels/cuda/emulation/profile/shadow.h"

namespace tapetum::test {
namespace {

namespace profile = emulation::profile;
using profile::Shadow;

constexpr uint32_t kThreads = 6;
constexpr size_t kEvents = 300;
using Events = std::bitset<kEvents>;

struct Touched {
  Shadow::Access access;
  uintptr_t begin, end;
  size_t event;
};

// One random program: blocks one after the other, whose threads touch a few bytes and meet now and then.
class Program {
 public:
  Program(unsigned seed, bool fences) : random_(seed), fences_(fences) {}

  void run(uint32_t blocks, size_t events_each) {
    for (uint32_t b = 0; b < blocks; ++b) {
      order_.begin_block(b, kThreads);
      known_.assign(kThreads, {});
      objects_.clear();
      for (size_t i = 0; i < events_each; ++i) step(b);
    }
  }

  std::set<uintptr_t> found, right;  // words with a race: as the detector says, and as the sets do

 private:
  unsigned draw(unsigned n) { return static_cast<unsigned>(random_() % n); }

  void step(uint32_t block) {
    const uint32_t t = draw(kThreads);
    switch (draw(8)) {
      case 0:
        return meet();
      case 1:
        return draw(2) ? release(t, draw(2)) : acquire(t, draw(2));
      case 2:
        return fences_ ? fence(t) : meet();
      default:
        return touch(block, t);
    }
  }

  void touch(uint32_t block, uint32_t t) {
    const auto access = static_cast<Shadow::Access>(draw(8) < 5 ? 0 : 1 + draw(2));
    const uintptr_t begin = 4 * draw(3) + (draw(4) ? 0 : 2), end = begin + (begin % 4 ? 2 : 2 << draw(3));
    const Touched now{access, begin, end, next_++};
    for (const Touched& old : touched_)
      if ((access != old.access || access == Shadow::kStore) && begin < old.end && old.begin < end && !known_[t][old.event])
        for (uintptr_t byte = std::max(begin, old.begin); byte < std::min(end, old.end); ++byte) right.insert(byte / 4);
    known_[t].set(now.event);
    touched_.push_back(now);
    for (uintptr_t word = begin / 4; word * 4 < end; ++word)  // the detector word by word, to know which
      shadow_.touch(order_, access, {0, order_.now(t), 0}, std::max(begin, word * 4), std::min(end, word * 4 + 4),
                    [&](const profile::Touch& old, const profile::Touch&) {
                      CHECK((old.moment.block != block || old.moment.thread != t));
                      found.insert(word);
                    });
  }

  void meet() {
    std::vector<uint32_t> who;
    Events all;
    for (uint32_t t = 0; t < kThreads; ++t)
      if (draw(3)) who.push_back(t);
    for (uint32_t t : who) all |= known_[t];
    for (uint32_t t : who) known_[t] = all;
    order_.meet(who);
  }
  void release(uint32_t t, unsigned object) {
    objects_[object] |= known_[t];
    order_.release(&names_[object], t);
  }
  void acquire(uint32_t t, unsigned object) {
    known_[t] |= objects_[object];
    order_.acquire(&names_[object], t);
  }
  void fence(uint32_t t) {
    known_[t] |= fenced_;
    fenced_ |= known_[t];
    order_.fence(t);
  }

  std::mt19937 random_;
  bool fences_;
  profile::Order order_;
  Shadow shadow_;
  size_t next_ = 0;
  std::vector<Touched> touched_;
  std::vector<Events> known_;
  std::map<unsigned, Events> objects_;
  Events fenced_;
  const char names_[2] = {};
};

}  // namespace

TEST_CASE("faults: random programs have the races that sets of events say", "[profile]") {
  size_t racy = 0, ordered = 0;
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    CAPTURE(seed);
    const bool fences = seed % 2;
    const uint32_t blocks = fences ? 1 : 1 + seed % 3;
    Program program(seed, fences);
    program.run(blocks, 2 + seed % 30);
    REQUIRE(program.found == program.right);
    racy += !program.right.empty();
    ordered += program.right.empty();
  }
  CHECK(racy > 500);
  CHECK(ordered > 300);
}

// Of other blocks' readers the detector keeps one.
TEST_CASE("faults: fences between blocks hide races, at most, and make up none", "[profile]") {
  size_t all = 0, found = 0;
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    Program program(seed, true);
    program.run(3, 5 + seed % 30);
    for (uintptr_t word : program.found) REQUIRE(program.right.count(word));
    all += program.right.size();
    found += program.found.size();
  }
  CHECK(found > all * 9 / 10);
}

}  // namespace tapetum::test
