// What is timed: a row of rows.tsv as a call that queues the work on the device.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace tapetum::bench {

struct Row {
  std::string op, what;  // "conv2d", "grad_weight"
  DType dtype;
  std::vector<int64_t> sizes;
};

std::function<void()> make_work(const Row& row, Device device);  // throws Error where the library cannot

}  // namespace tapetum::bench
