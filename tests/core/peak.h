// The most memory that a piece of code holds at once: operator new and the tensors' allocator together.
#pragma once
#include <cstddef>

namespace tapetum::test {

class PeakMemory {
 public:
  PeakMemory();          // counts from here on
  size_t bytes() const;  // the peak so far, above what was held at the start
};

}  // namespace tapetum::test
