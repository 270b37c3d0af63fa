// How an image is read between its pixels, and beside them.
#pragma once
#include <cstdint>

namespace tapetum {

enum class GridSampleMode : int64_t { bilinear, nearest, bicubic };
enum class GridSamplePadding : int64_t { zeros, border, reflection };

constexpr const char* name_of(GridSampleMode m) {
  constexpr const char* names[] = {"bilinear", "nearest", "bicubic"};
  return names[static_cast<int>(m)];
}
constexpr const char* name_of(GridSamplePadding p) {
  constexpr const char* names[] = {"zeros", "border", "reflection"};
  return names[static_cast<int>(p)];
}

}  // namespace tapetum
