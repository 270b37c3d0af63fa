// Free pages of the process: ranges that are cut for what is taken, and merged with their neighbours when it comes back.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>

namespace tapetum::kernels {

// Sizes are in bytes, multiples of kPage. Not thread-safe. What is free when it is destroyed stays with the process.
class PageRanges {
 public:
  static constexpr size_t kPage = 4096, kHugePage = size_t{2} << 20;

  // The start of the least free range that holds so much, of the lowest among equals; null where none does.
  void* take(size_t bytes);
  void give(void* data, size_t bytes);

  // Makes a free range of so many bytes with new pages: whole huge pages, below the last ones if there is room. Returns how many bytes were
  // added, 0 when the system has none.
  size_t grow(size_t bytes);
  // Gives free pages back to the system, of the greatest ranges first, until it were so many bytes or all. Returns how many it were.
  size_t shrink(size_t bytes);

  size_t free_bytes() const { return free_; }
  size_t free_ranges() const { return by_place_.size(); }

 private:
  void insert(uintptr_t place, size_t bytes);
  void erase(uintptr_t place, size_t bytes);

  std::map<uintptr_t, size_t> by_place_;
  std::set<std::pair<size_t, uintptr_t>> by_size_;
  size_t free_ = 0;
  uintptr_t lowest_ = 0;  // where the pages begin that were mapped last
};

}  // namespace tapetum::kernels
