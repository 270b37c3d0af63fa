// How a loss combines its elements.
#pragma once
#include <cstdint>

namespace tapetum {

enum class Reduction : int64_t { none, sum, mean, batchmean };  // batchmean: the sum over the first size, of kl_div alone

constexpr const char* name_of(Reduction r) {
  constexpr const char* names[] = {"none", "sum", "mean", "batchmean"};
  return names[static_cast<int>(r)];
}

}  // namespace tapetum
