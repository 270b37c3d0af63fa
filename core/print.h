// Tensors as text, laid out as PyTorch does: tensor([[1.0000, 2.5000], [3.0000, 4.0000]], dtype=f64)
#pragma once
#include <string>

#include "core/tensor.h"

namespace tapetum {

// Over 1,000 elements only the first and last three of each dimension are shown.
std::string to_string(const Tensor& x);

template <class Stream>
requires requires(Stream& s, const std::string& text) { s << text; }
Stream& operator<<(Stream& stream, const Tensor& x) {
  stream << to_string(x);
  return stream;
}

}  // namespace tapetum
