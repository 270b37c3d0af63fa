// IDX files, the format of MNIST: two zeros, the type of the numbers, how many dimensions, their sizes (big-endian), the numbers.
// http://yann.lecun.com/exdb/mnist
#pragma once
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace tapetum::data {

// u8, of 1 to 4 dimensions, plain or gzipped. The sizes are compared with the file before memory is taken for them, and never more than they
// say is inflated. Throws FormatError naming the file: numbers of another type, sizes that the file does not have, more than 1 GiB.
Tensor read_idx(const std::string& path);
Tensor parse_idx(std::string_view bytes, const std::string& name);

}  // namespace tapetum::data
