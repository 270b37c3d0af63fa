// Small numbers that loops can be unrolled by. (std::integral_constant and std::min would be shared between the instruction sets.)
#pragma once
#include <cstdint>

namespace tapetum::kernels {
namespace {

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

template <int64_t n> struct Constant {
  constexpr operator int64_t() const { return n; }
};

// f(n), where n is 2, 3 or 4 as a number that the compiler knows.
template <class F> void with_known(int64_t n, F f) {
  if (n == 2) return f(Constant<2>());
  if (n == 3) return f(Constant<3>());
  if (n == 4) return f(Constant<4>());
  f(n);
}

}  // namespace
}  // namespace tapetum::kernels
