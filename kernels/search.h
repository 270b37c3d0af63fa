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

// a < b, with NaN above all numbers.
template <class T> constexpr bool comes_before(T a, T b) { return a < b || (b != b && a == a); }
// Whether an element stands before a value.
template <class T> constexpr bool stands_before(T element, T value, bool right) {
  return right ? !comes_before(value, element) : comes_before(element, value);
}

// Binary search, after Knuth's 6.2.1; device code may call it. T is what elements of S are compared in.
template <class T, class S, class Widen> constexpr int64_t place_in(const S* sorted, int64_t length, T value, bool right, Widen widen) {
  int64_t begin = 0, end = length;
  while (begin < end) {
    const int64_t middle = begin + (end - begin) / 2;
    if (stands_before<T>(widen(sorted[middle]), value, right))
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

extern const KernelSlot<SearchArgs> search_sorted;

}  // namespace tapetum::kernels
