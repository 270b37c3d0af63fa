// From many threads, the lowest of what they report: the same whichever comes first.
#pragma once
#include <cstdint>

namespace tapetum::kernels {
namespace {

inline void report_lowest(int64_t* lowest, int64_t position) {
  int64_t seen = __atomic_load_n(lowest, __ATOMIC_RELAXED);
  while (position < seen && !__atomic_compare_exchange_n(lowest, &seen, position, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

}  // namespace
}  // namespace tapetum::kernels
