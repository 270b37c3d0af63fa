// A header of one cache line in front of the data says how much the block holds. Small blocks are kept by size class, the last one released is the
// first one given out again; large ones are cut from free pages, which merge again. What is kept is bounded by a share of the peak.
// Sanitizers, and TAPETUM_ALLOC=system, get one exact system allocation each: posix_memalign, since aligned_alloc wants the size rounded up and would
// hide a short overrun. Guard words fill what a block has more than was asked for, a cache line at least, and the rest of its header.
#include "kernels/allocator.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <unordered_set>
#include <utility>
#include <vector>

#include "kernels/block_cache.h"
#include "kernels/page_ranges.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TAPETUM_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TAPETUM_SANITIZED 1
#endif
#endif
#if !defined(TAPETUM_SANITIZED)
#define TAPETUM_SANITIZED 0
#endif

namespace tapetum::kernels {
namespace {

constexpr size_t kSmall = size_t{256} << 10;   // the greatest block that has a size class
constexpr size_t kSpared = size_t{16} << 20;   // kept beside what is in use, however little that is
constexpr size_t kKeptShare = 8;               // and an eighth of the peak
constexpr size_t kMaxBytes = size_t{1} << 39;  // 512 GB: a greater wish is a mistake, and sanitizers would abort on it

constexpr uint64_t kGuardWord = 0x7ff4'dead'7fa4'dead;  // NaN as one f64 and as two f32

struct alignas(kAlignment) Header {
  size_t capacity;  // bytes of data that it has room for
  size_t bytes;     // that were asked for
  uint64_t guard[6];
};
static_assert(sizeof(Header) == kAlignment);

void fill_with_guards(Header& block) {
  std::fill(std::begin(block.guard), std::end(block.guard), kGuardWord);
  auto* words = reinterpret_cast<uint64_t*>(&block + 1);
  std::fill(words, words + block.capacity / sizeof *words, kGuardWord);
}

bool guards_are_intact(const Header& block) {
  if (std::any_of(std::begin(block.guard), std::end(block.guard), [](uint64_t word) { return word != kGuardWord; })) return false;
  const auto* data = reinterpret_cast<const unsigned char*>(&block + 1);
  for (size_t i = block.bytes; i < block.capacity; ++i)
    if (data[i] != static_cast<unsigned char>(kGuardWord >> i % sizeof kGuardWord * 8)) return false;
  return true;
}

std::atomic<int> guard_wishes{0};  // GuardWords that live

class Counted {
 public:
  MemoryCounters counters() {
    std::lock_guard lock(mutex_);
    return counters_;
  }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    counters_.peak = counters_.allocated;
  }

 protected:
  std::mutex mutex_;
  MemoryCounters counters_{};
};

size_t capacity_for(size_t bytes) {
  constexpr size_t page = PageRanges::kPage;
  return bytes <= kSmall ? size_of_class(class_of(bytes)) : (bytes + sizeof(Header) + page - 1) / page * page - sizeof(Header);
}

class Cache : public Counted {
 public:
  void* allocate(size_t bytes) {
    const bool guarded = guard_wishes != 0;
    const size_t capacity = capacity_for(bytes + (guarded ? kAlignment : 0));
    std::lock_guard lock(mutex_);
    Header* block = capacity <= kSmall ? take_small(capacity) : take_large(capacity);
    if (!block) return nullptr;
    counters_.take(block->capacity);
    highest_ = std::max(highest_, counters_.allocated);
    if (guarded) {
      block->bytes = bytes;
      fill_with_guards(*block);
      guarded_.insert(block);
    }
    return block + 1;
  }

  void release(void* data) {
    Header* block = static_cast<Header*>(data) - 1;
    std::lock_guard lock(mutex_);
    if (!guarded_.empty() && guarded_.erase(block)) damaged_ += !guards_are_intact(*block);
    const size_t capacity = block->capacity;
    counters_.allocated -= capacity;
    if (capacity <= kSmall)
      kept_[class_of(capacity)].push_back(block);
    else
      pages_.give(block, capacity + sizeof(Header));
  }

  size_t damaged_blocks() {
    std::lock_guard lock(mutex_);
    size_t damaged = std::exchange(damaged_, 0);
    for (const Header* block : guarded_) damaged += !guards_are_intact(*block);
    return damaged;
  }

  void release_all() {
    std::lock_guard lock(mutex_);
    release_kept();
    highest_ = counters_.allocated;
  }

 private:
  // What the system gives; where that is nothing, what it gives after all that is kept went back.
  template <class F> auto persistently(F ask) {
    auto given = ask();
    if (given) return given;
    release_kept();
    return ask();
  }

  Header* take_small(size_t capacity) {
    const int wanted = class_of(capacity);
    for (int c = wanted; c < wanted + kMaxStretch && c < kSmallClasses; ++c) {
      if (kept_[c].empty()) continue;
      Header* block = kept_[c].back();
      kept_[c].pop_back();
      return block;
    }
    make_room(capacity);
    Header* block = persistently([&] {
      void* p = nullptr;
      return posix_memalign(&p, kAlignment, capacity + sizeof(Header)) == 0 ? static_cast<Header*>(p) : nullptr;
    });
    if (!block) return nullptr;
    block->capacity = capacity;
    counters_.reserved += capacity;
    return block;
  }

  Header* take_large(size_t capacity) {
    const size_t bytes = capacity + sizeof(Header);
    void* data = pages_.take(bytes);
    if (!data) {
      make_room(bytes);
      counters_.reserved += persistently([&] { return pages_.grow(bytes); });
      data = pages_.take(bytes);
    }
    if (!data) return nullptr;
    Header* block = static_cast<Header*>(data);
    block->capacity = capacity;
    return block;
  }

  // Before the system is asked for so many bytes more: what is then kept beyond its bound goes back.
  void make_room(size_t bytes) {
    const size_t peak = std::max(highest_, counters_.allocated + bytes), bound = peak + std::max(kSpared, peak / kKeptShare);
    if (counters_.reserved + bytes <= bound) return;
    const size_t excess = counters_.reserved + bytes - bound, pages = pages_.shrink(excess);
    counters_.reserved -= pages;
    if (pages < excess) release_small();
  }

  void release_kept() {
    counters_.reserved -= pages_.shrink(pages_.free_bytes());
    release_small();
  }
  void release_small() {
    for (int c = 0; c < kSmallClasses; ++c) {
      counters_.reserved -= kept_[c].size() * size_of_class(c);
      for (Header* block : kept_[c]) std::free(block);
      kept_[c].clear();
    }
  }

  static constexpr int kSmallClasses = std::bit_width(kSmall - 1) * kSteps;  // those of up to kSmall bytes
  std::vector<Header*> kept_[kSmallClasses];
  PageRanges pages_;
  std::unordered_set<Header*> guarded_;  // in use
  size_t damaged_ = 0;                   // of those, when they were released
  size_t highest_ = 0;                   // allocated since release_all
};

// Exact allocations, counted.
class System : public Counted {
 public:
  void* allocate(size_t bytes) {
    void* data = nullptr;
    if (posix_memalign(&data, kAlignment, bytes) != 0) return nullptr;
    std::lock_guard lock(mutex_);
    counters_.take(malloc_usable_size(data));
    counters_.reserved = counters_.allocated;
    return data;
  }
  void release(void* data) {
    {
      std::lock_guard lock(mutex_);
      counters_.allocated -= malloc_usable_size(data);
      counters_.reserved = counters_.allocated;
    }
    std::free(data);
  }
};

// Neither is ever destroyed: tensors with static storage may die last.
template <class A> A& the() {
  alignas(A) static unsigned char room[sizeof(A)];
  static A& one = *new (room) A;
  return one;
}

}  // namespace

bool allocations_are_exact() {
  static const bool wish = [] {
    const char* value = std::getenv("TAPETUM_ALLOC");
    return TAPETUM_SANITIZED || (value && !std::strcmp(value, "system"));
  }();
  return wish;
}

size_t host_block_size(size_t bytes) { return allocations_are_exact() ? bytes : capacity_for(bytes); }

void* allocate_host(size_t bytes) {
  if (bytes > kMaxBytes) return nullptr;
  return allocations_are_exact() ? the<System>().allocate(bytes) : the<Cache>().allocate(bytes);
}
void release_host(void* data) { allocations_are_exact() ? the<System>().release(data) : the<Cache>().release(data); }
MemoryCounters host_memory() { return allocations_are_exact() ? the<System>().counters() : the<Cache>().counters(); }
void reset_host_peak() { allocations_are_exact() ? the<System>().reset_peak() : the<Cache>().reset_peak(); }
void release_cached_host() {
  if (!allocations_are_exact()) the<Cache>().release_all();
}

GuardWords::GuardWords() { ++guard_wishes; }
GuardWords::~GuardWords() {
  if (--guard_wishes == 0) damaged_blocks();  // what nobody asked about is forgotten
}
size_t damaged_blocks() { return allocations_are_exact() ? 0 : the<Cache>().damaged_blocks(); }

}  // namespace tapetum::kernels
