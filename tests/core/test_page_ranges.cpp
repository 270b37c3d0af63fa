// Pages that are cut and merged, and what the allocator over them keeps.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "kernels/allocator.h"
#include "kernels/page_ranges.h"

namespace tapetum::kernels {
namespace {

constexpr size_t kPage = PageRanges::kPage, kHugePage = PageRanges::kHugePage;

struct Pages : PageRanges {
  explicit Pages(size_t bytes) { REQUIRE(grow(bytes) == bytes); }
  ~Pages() { shrink(free_bytes()); }
  char* take(size_t bytes) { return static_cast<char*>(PageRanges::take(bytes)); }
};

bool exact() {
  if (allocations_are_exact()) WARN("skipped: allocations are exact, and nothing is kept");
  return allocations_are_exact();
}

// Blocks of random sizes that live for random times, each with its number in its first and last byte.
class Churn {
 public:
  explicit Churn(uint32_t seed) : random_(seed) {}
  ~Churn() {
    while (!blocks_.empty()) release(blocks_.size() - 1);
  }
  void step(size_t most_blocks, size_t most_bytes) {
    if (!blocks_.empty() && (blocks_.size() >= most_blocks || random_() % 2)) return release(random_() % blocks_.size());
    const double share = static_cast<double>(random_()) / 4294967296.0;
    const size_t bytes = static_cast<size_t>(share * share * share * static_cast<double>(most_bytes)) + 1;  // more small ones than large ones
    auto* data = static_cast<unsigned char*>(allocate_host(bytes));
    const auto mark = static_cast<unsigned char>(random_());
    data[0] = data[bytes - 1] = mark;
    whole_ &= reinterpret_cast<uintptr_t>(data) % 64 == 0;
    blocks_.push_back({data, bytes, mark});
  }
  bool whole() const { return whole_; }  // blocks were aligned, and nobody else wrote into them

 private:
  struct Block {
    unsigned char* data;
    size_t bytes;
    unsigned char mark;
  };
  void release(size_t i) {
    whole_ &= blocks_[i].data[0] == blocks_[i].mark && blocks_[i].data[blocks_[i].bytes - 1] == blocks_[i].mark;
    release_host(blocks_[i].data);
    blocks_[i] = blocks_.back();
    blocks_.pop_back();
  }

  std::mt19937 random_;
  std::vector<Block> blocks_;
  bool whole_ = true;
};

}  // namespace

TEST_CASE("page ranges: a range is cut, and is one again when its parts came back in any order") {
  std::vector<int> order{0, 1, 2, 3};
  do {
    Pages pages(kHugePage);
    char* part[4];
    for (char*& p : part) p = pages.take(kHugePage / 4);
    REQUIRE(pages.free_ranges() == 0);
    REQUIRE(pages.take(kPage) == nullptr);
    for (int i : order) pages.give(part[i], kHugePage / 4);
    REQUIRE(pages.free_ranges() == 1);
    REQUIRE(pages.take(kHugePage) == *std::min_element(part, part + 4));
    pages.give(part[0], kHugePage);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("page ranges: the least range that suffices is cut") {
  Pages pages(kHugePage);
  char* all = pages.take(kHugePage);
  pages.give(all, 8 * kPage);
  pages.give(all + 16 * kPage, 2 * kPage);
  pages.give(all + 32 * kPage, 4 * kPage);
  REQUIRE(pages.take(3 * kPage) == all + 32 * kPage);
  REQUIRE(pages.take(2 * kPage) == all + 16 * kPage);
  REQUIRE(pages.take(kPage) == all + 35 * kPage);
  REQUIRE(pages.take(kPage) == all);
  REQUIRE(pages.free_bytes() == 7 * kPage);
}

TEST_CASE("page ranges: new pages go on where free ones end; what is given back may be anywhere") {
  Pages pages(kHugePage);
  REQUIRE(pages.grow(3 * kHugePage) == 2 * kHugePage);  // what was there counts
  REQUIRE(pages.free_ranges() == 1);
  char* data = pages.take(3 * kHugePage);
  std::memset(data, 1, 3 * kHugePage);
  pages.give(data + kHugePage, kHugePage);
  REQUIRE(pages.shrink(kPage) == kPage);
  REQUIRE(pages.shrink(kHugePage) == kHugePage - kPage);
  REQUIRE(pages.free_bytes() == 0);
  REQUIRE(pages.grow(kHugePage) == kHugePage);
  char* another = pages.take(kHugePage);
  std::memset(another, 2, kHugePage);
  REQUIRE(std::count(data, data + kHugePage, 1) == kHugePage);
  REQUIRE(std::count(data + 2 * kHugePage, data + 3 * kHugePage, 1) == kHugePage);
  pages.give(another, kHugePage);
  pages.give(data, kHugePage);
  pages.give(data + 2 * kHugePage, kHugePage);
}

TEST_CASE("allocator: a released block serves smaller ones, and they the next great one") {
  if (exact()) return;
  release_cached_host();
  const size_t before = host_memory().reserved;
  constexpr size_t size = size_t{32} << 20;
  for (int round = 0; round < 3; ++round) {
    void* whole = allocate_host(size);
    release_host(whole);
    void* parts[4];
    for (void*& p : parts) p = allocate_host(size / 4 - kPage);
    for (void* p : parts) release_host(p);
  }
  REQUIRE(host_memory().reserved - before <= size + kHugePage);
  release_cached_host();
  REQUIRE(host_memory().reserved == before);
}

TEST_CASE("allocator: what it keeps is at most an eighth more than the peak, or 16 MB, whatever sizes come") {
  if (exact()) return;
  release_cached_host();
  reset_host_peak();
  size_t worst = 0;
  Churn churn(1);
  for (int i = 0; i < 20000; ++i) {
    churn.step(100, i % 4000 < 2000 ? size_t{1} << 20 : size_t{1} << 23);
    const MemoryCounters now = host_memory();
    const size_t slack = std::max(now.peak / 8, size_t{16} << 20);
    if (now.reserved > now.peak + slack + kHugePage) worst = std::max(worst, now.reserved - now.peak - slack);
  }
  REQUIRE(worst == 0);
  REQUIRE(churn.whole());
}

TEST_CASE("allocator: many threads, and blocks that others release") {
  const size_t before = host_memory().allocated;
  constexpr int kThreads = 8;
  std::vector<std::thread> threads;
  std::vector<int> whole(kThreads);
  std::vector<void*> handed(kThreads * 50);
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      Churn churn(static_cast<uint32_t>(t));
      for (int i = 0; i < 2000; ++i) {
        churn.step(20, size_t{1} << 21);
        if (i % 40 == 0) handed[static_cast<size_t>(t * 50 + i / 40)] = allocate_host(size_t{1} << (i / 40 % 21));
        if (t == 0 && i % 500 == 0) release_cached_host();
      }
      whole[static_cast<size_t>(t)] = churn.whole();
    });
  for (auto& t : threads) t.join();
  for (void* data : handed) release_host(data);
  REQUIRE(std::count(whole.begin(), whole.end(), 1) == kThreads);
  REQUIRE(host_memory().allocated == before);
}

}  // namespace tapetum::kernels
