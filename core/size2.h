// Two sizes, height before width; one number means both.
#pragma once
#include "kernels/types.h"

namespace tapetum {

struct Size2 {
  int64_t h, w;
  Size2(int64_t n) : h(n), w(n) {}
  Size2(int64_t h, int64_t w) : h(h), w(w) {}
  friend bool operator==(const Size2& a, const Size2& b) { return a.h == b.h && a.w == b.w; }
  template <class S, class V> static void fields(S& s, V&& v) {
    v("h", s.h);
    v("w", s.w);
  }
};

// Rows and columns of zeros added on each side: one number, {h, w}, "valid" (none) or "same" (the output has the input's size; stride 1 only).
struct Padding {
  Size2 size = 0;
  bool same = false;
  Padding(int64_t n) : size(n) {}
  Padding(int64_t h, int64_t w) : size(h, w) {}
  Padding(Size2 s) : size(s) {}
  template <size_t n> Padding(const char (&word)[n]) : same(is_same(word)) {}  // an array: a pointer would take the literal 0
  template <class S, class V> static void fields(S& s, V&& v) {
    v("size", s.size);
    v("same", s.same);
  }

 private:
  static bool is_same(const char* word);  // throws ShapeError for other words
};

}  // namespace tapetum
