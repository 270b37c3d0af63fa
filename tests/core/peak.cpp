#include "tests/core/peak.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "core/memory.h"

namespace {

std::atomic<size_t> held{0}, peak{0};

void* counted(size_t bytes) noexcept {
  void* p = std::malloc(bytes ? bytes : 1);
  if (!p) return p;
  const size_t now = held += malloc_usable_size(p);
  for (size_t before = peak; before < now && !peak.compare_exchange_weak(before, now);) {
  }
  return p;
}

void* counted_or_throw(size_t bytes) {
  if (void* p = counted(bytes)) return p;
  throw std::bad_alloc();
}

void uncounted(void* p) noexcept {
  if (p) held -= malloc_usable_size(p);
  std::free(p);
}

}  // namespace

// The whole program's; over-aligned ones stay the library's.
void* operator new(size_t bytes) { return counted_or_throw(bytes); }
void* operator new[](size_t bytes) { return counted_or_throw(bytes); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes); }
void operator delete(void* p) noexcept { uncounted(p); }
void operator delete[](void* p) noexcept { uncounted(p); }
void operator delete(void* p, size_t) noexcept { uncounted(p); }
void operator delete[](void* p, size_t) noexcept { uncounted(p); }

namespace tapetum::test {
namespace {

size_t start = 0, tensors = 0;

}  // namespace

PeakMemory::PeakMemory() {
  reset_peak_memory();
  start = held;
  tensors = memory_allocated();
  peak = held.load();
}

size_t PeakMemory::bytes() const { return peak - start + (peak_memory() - tensors); }

}  // namespace tapetum::test
