// Division of 0 <= n < 2^31 by a divisor that the host knows: a multiplication and a shift instead of some twenty instructions.
#pragma once
#include <cstdint>

#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {
namespace {

// With 2^(b-1) < d <= 2^b and m = floor(2^(31+b) / d) + 1, n m / 2^(31+b) exceeds n / d by less than 1 / d.
class Divider {
 public:
  explicit Divider(int64_t divisor) : divisor_(static_cast<uint32_t>(divisor)) {
    while ((uint64_t{1} << (shift_ - 31)) < divisor_) ++shift_;
    multiplier_ = static_cast<uint32_t>((uint64_t{1} << shift_) / divisor_ + 1);
  }
  __device__ int quotient(int n) const { return static_cast<int>(static_cast<uint64_t>(n) * multiplier_ >> shift_); }
  __device__ int divisor() const { return static_cast<int>(divisor_); }

 private:
  uint32_t divisor_, multiplier_;
  int shift_ = 31;
};

}  // namespace
}  // namespace tapetum::kernels
