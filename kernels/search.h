// Where values would stand in sorted lines.
#pragma once
#include "kernels/slot.h"

namespace tapetum::kernels {

struct SearchShape {
  int64_t lines, length, values;  // length of a sorted line, values looked up in each
  int64_t shared;                 // whether all lines are the first one
  int64_t right;                  // behind equal elements, else before them
  DType dtype;
};
static_assert(is_key<SearchShape>);

// y: the number of elements of the line that are below the value, or not above it. NaN is above all numbers.
struct SearchArgs {
  SearchShape shape;
  const void* sorted;  // [lines, length], or [length] of all
  const void* values;  // [lines, values]
  int64_t* y;          // likewise
};

// How many elements of a line come first: all for which `before` holds, which stand before the others. (Without branches: they would be guessed
// wrong half of the time. Device code may call it.)
template <class S, class Before> constexpr int64_t count_before(const S* sorted, int64_t length, Before before) {
  int64_t begin = 0;
  while (length > 0) {
    const int64_t half = length / 2;
    const bool behind = before(sorted[begin + half]);
    begin += behind ? half + 1 : 0;
    length = behind ? length - half - 1 : half;
  }
  return begin;
}

// y of one value; widen makes an element of S the T that is compared.
template <class T, class S, class Widen> constexpr int64_t place_in(const S* sorted, int64_t length, T value, bool right, Widen widen) {
  if (value != value) {
    if (right) return length;
    return count_before(sorted, length, [=](S element) { return widen(element) == widen(element); });
  }
  if (right) return count_before(sorted, length, [=](S element) { return widen(element) <= value; });
  return count_before(sorted, length, [=](S element) { return widen(element) < value; });
}

extern const KernelSlot<SearchArgs> search_sorted;

}  // namespace tapetum::kernels
