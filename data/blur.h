// Gaussian smoothing of planes on the host, for augmentation and procedural pictures.
#pragma once
#include <cstdint>

namespace tapetum::data {

// In place, separable, cut at three deviations; the border is mirrored. A deviation of 0 or less changes nothing.
void gaussian_blur(float* plane, int64_t height, int64_t width, double deviation);

// Index i of a line of n elements that is mirrored at its ends (the end element itself is repeated): any i, n >= 1.
constexpr int64_t mirror(int64_t i, int64_t n) {
  if (i >= 0 && i < n) return i;
  i %= 2 * n;
  if (i < 0) i += 2 * n;
  return i < n ? i : 2 * n - 1 - i;
}

}  // namespace tapetum::data
