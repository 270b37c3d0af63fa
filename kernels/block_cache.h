// What the caches of host and of device memory share: size classes, eight to a doubling, so that at most an eighth is wasted.
#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>

namespace tapetum::kernels {

constexpr size_t kAlignment = 64;  // of the least block
constexpr int kSteps = 8, kClasses = 64 * kSteps;
constexpr int kMaxStretch = 2;  // a request may take a kept block of up to so many classes above its own

inline int class_of(size_t bytes) {
  const size_t n = std::max(bytes, kAlignment) - 1;
  const int octave = std::bit_width(n) - 1;                         // 2^octave <= n
  const int step = static_cast<int>((n >> (octave - 3)) - kSteps);  // the next three bits
  return octave * kSteps + step;
}
inline size_t size_of_class(int c) { return static_cast<size_t>(kSteps + c % kSteps + 1) << (c / kSteps - 3); }

}  // namespace tapetum::kernels
