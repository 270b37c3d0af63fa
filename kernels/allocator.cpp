// A header of one cache line in front of the data names the block's size class. Blocks of 2 MB and more ask for huge pages. Sanitizers, and
// TAPETUM_ALLOC=system, get one exact system allocation each: posix_memalign, since aligned_alloc wants the size rounded up and would hide a short
// overrun. Guard words fill what a block has more than was asked for, a cache line at least, and the rest of its header.
#include "kernels/allocator.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <unordered_set>
#include <utility>
#include <vector>

#include "kernels/block_cache.h"

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

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kMaxBytes = size_t{1} << 39;  // 512 GB: a greater wish is a mistake, and sanitizers would abort on it

constexpr uint64_t kGuardWord = 0x7ff4'dead'7fa4'dead;  // NaN as one f64 and as two f32

struct alignas(kAlignment) Header {
  int64_t size_class;
  size_t bytes;  // that were asked for
  uint64_t guard[6];
};
static_assert(sizeof(Header) == kAlignment);

void fill_with_guards(Header& block) {
  std::fill(std::begin(block.guard), std::end(block.guard), kGuardWord);
  auto* words = reinterpret_cast<uint64_t*>(&block + 1);
  std::fill(words, words + size_of_class(static_cast<int>(block.size_class)) / sizeof *words, kGuardWord);
}

bool guards_are_intact(const Header& block) {
  if (std::any_of(std::begin(block.guard), std::end(block.guard), [](uint64_t word) { return word != kGuardWord; })) return false;
  const auto* data = reinterpret_cast<const unsigned char*>(&block + 1);
  for (size_t i = block.bytes; i < size_of_class(static_cast<int>(block.size_class)); ++i)
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

class Cache : public Counted {
 public:
  void* allocate(size_t bytes) {
    const bool guarded = guard_wishes != 0;
    const int wanted = class_of(bytes + (guarded ? kAlignment : 0));
    std::lock_guard lock(mutex_);
    int c = wanted;
    while (c < wanted + kMaxStretch && kept_[c].empty()) ++c;
    if (kept_[c].empty()) c = wanted;
    Header* block = nullptr;
    if (!kept_[c].empty()) {
      block = kept_[c].back();
      kept_[c].pop_back();
    } else {
      block = from_system(c);
      if (!block) {
        release_kept();
        block = from_system(c);
      }
      if (!block) return nullptr;
      block->size_class = c;
      counters_.reserved += size_of_class(c);
    }
    counters_.take(size_of_class(c));
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
    counters_.allocated -= size_of_class(static_cast<int>(block->size_class));
    kept_[block->size_class].push_back(block);
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
  }

 private:
  static Header* from_system(int c) {
    const size_t bytes = size_of_class(c) + sizeof(Header);
    void* p = nullptr;
    if (posix_memalign(&p, bytes >= kHugePage ? kHugePage : kAlignment, bytes) != 0) return nullptr;
    if (bytes >= kHugePage) madvise(p, bytes, MADV_HUGEPAGE);
    return static_cast<Header*>(p);
  }
  void release_kept() {
    for (int c = 0; c < kClasses; ++c) {
      counters_.reserved -= kept_[c].size() * size_of_class(c);
      for (Header* block : kept_[c]) std::free(block);
      kept_[c].clear();
    }
  }

  std::vector<Header*> kept_[kClasses];
  std::unordered_set<Header*> guarded_;  // in use
  size_t damaged_ = 0;                   // of those, when they were released
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
