// A number that remembers whether it was written as an integer: x * 2 keeps an integer tensor, x * 2.0 makes it floating.
#pragma once
#include <type_traits>

namespace tapetum {

struct Scalar {
  double value;
  bool integral;
  template <class T>
  requires std::is_arithmetic_v<T> Scalar(T x) : value(static_cast<double>(x)), integral(std::is_integral_v<T>) {}
};

}  // namespace tapetum
