#include "kernels/page_ranges.h"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>

namespace tapetum::kernels {
namespace {

void* pointer(uintptr_t place) { return reinterpret_cast<void*>(place); }

// Exactly at `place`, anywhere where that is 0; 0 when it cannot be.
uintptr_t map_pages(uintptr_t place, size_t bytes) {
  void* data = mmap(pointer(place), bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (place ? MAP_FIXED_NOREPLACE : 0), -1, 0);
  if (data == MAP_FAILED) return 0;
  const auto found = reinterpret_cast<uintptr_t>(data);
  if (!place || found == place) return found;
  munmap(data, bytes);  // a kernel that takes the place for a wish
  return 0;
}

// Anywhere, at the beginning of a huge page.
uintptr_t map_aligned(size_t bytes) {
  constexpr size_t huge = PageRanges::kHugePage;
  const uintptr_t found = map_pages(0, bytes + huge);
  if (!found) return 0;
  const uintptr_t place = (found + huge - 1) / huge * huge;
  if (place != found) munmap(pointer(found), place - found);
  munmap(pointer(place + bytes), found + huge - place);
  return place;
}

}  // namespace

void* PageRanges::take(size_t bytes) {
  const auto found = by_size_.lower_bound({bytes, 0});
  if (found == by_size_.end()) return nullptr;
  const auto [size, place] = *found;
  erase(place, size);
  if (size > bytes) insert(place + bytes, size - bytes);
  return pointer(place);
}

void PageRanges::give(void* data, size_t bytes) {
  auto place = reinterpret_cast<uintptr_t>(data);
  const auto above = by_place_.lower_bound(place);
  const bool meets_above = above != by_place_.end() && above->first == place + bytes;
  const auto below = above == by_place_.begin() ? by_place_.end() : std::prev(above);
  const bool meets_below = below != by_place_.end() && below->first + below->second == place;
  if (meets_above) {
    const size_t size = above->second;
    erase(place + bytes, size);
    bytes += size;
  }
  if (meets_below) {
    const auto [start, size] = *below;
    erase(start, size);
    place = start, bytes += size;
  }
  insert(place, bytes);
}

size_t PageRanges::grow(size_t bytes) {
  const auto whole = [](size_t n) { return (n + kHugePage - 1) / kHugePage * kHugePage; };
  const auto first = by_place_.find(lowest_);  // if it is free, new pages below it need only be what it lacks
  const size_t at_hand = first == by_place_.end() ? 0 : first->second;
  size_t added = whole(bytes - std::min(at_hand, bytes));
  uintptr_t place = lowest_ ? map_pages(lowest_ - added, added) : 0;
  if (!place) place = map_aligned(added = whole(bytes));
  if (!place) return 0;
  madvise(pointer(place), added, MADV_HUGEPAGE);
  lowest_ = place;
  give(pointer(place), added);
  return added;
}

size_t PageRanges::shrink(size_t bytes) {
  size_t done = 0;
  while (done < bytes && !by_size_.empty()) {
    const auto [size, place] = *by_size_.rbegin();
    const size_t part = std::min(size, (bytes - done + kPage - 1) / kPage * kPage);
    if (munmap(pointer(place), part) != 0) break;  // a hole too many
    erase(place, size);
    if (part < size) insert(place + part, size - part);
    if (place == lowest_) lowest_ += part;
    done += part;
  }
  return done;
}

void PageRanges::insert(uintptr_t place, size_t bytes) {
  by_place_.emplace(place, bytes);
  by_size_.emplace(bytes, place);
  free_ += bytes;
}

void PageRanges::erase(uintptr_t place, size_t bytes) {
  by_place_.erase(place);
  by_size_.erase({bytes, place});
  free_ -= bytes;
}

}  // namespace tapetum::kernels
