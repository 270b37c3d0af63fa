// What a kernel finds wrong with its input: an index outside its dimension, a label that is no class.
#pragma once
#include <cstdint>

namespace tapetum::kernels {

struct Fault {
  static constexpr int64_t kNone = INT64_MAX;
  int64_t position = kNone;  // the lowest of them, as the kernel numbers its elements
  int64_t value = 0;         // what stands there
  uint32_t lock = 0;         // whoever writes both holds it
};

}  // namespace tapetum::kernels
