// Numpy's .npy files of version 1, row-major: u8 and f32 arrays that other programs left as what to compare with.
#pragma once
#include <cstring>
#include <stdexcept>
#include <string>

#include "core/tensor.h"
#include "tests/folder.h"

namespace tapetum::test {

inline Tensor load_npy(const std::string& path) {
  const std::string all = content(path);
  if (all.substr(0, 8) != std::string("\x93NUMPY\1\0", 8)) throw std::runtime_error(path + ": no .npy of version 1");
  const size_t start = 10 + static_cast<unsigned char>(all[8]) + 256u * static_cast<unsigned char>(all[9]);
  const std::string header = all.substr(10, start - 10);
  const DType dtype = header.find("'|u1'") != header.npos ? DType::u8 : header.find("'<f4'") != header.npos ? DType::f32 : DType::f64;
  Shape shape;
  for (size_t at = header.find('(') + 1; header[at] != ')';) {
    size_t digits = 0;
    shape.push_back(std::stoll(header.substr(at), &digits));
    at = header.find_first_not_of(", ", at + digits);
  }
  Tensor t = empty(shape, dtype);
  const size_t bytes = static_cast<size_t>(t.numel()) * size_of(dtype);
  if (dtype == DType::f64 || header.find("True") != header.npos || all.size() - start != bytes) throw std::runtime_error(path + ": of another kind");
  std::memcpy(t.mutable_raw(), all.data() + start, bytes);
  return t;
}

}  // namespace tapetum::test
