// What a convolution may do to its sums before they are stored.
#pragma once
#include <cstdint>

namespace tapetum {

enum class ConvActivation : int64_t { none, relu, silu };

constexpr const char* name_of(ConvActivation a) {
  constexpr const char* names[] = {"none", "relu", "silu"};
  return names[static_cast<int>(a)];
}

}  // namespace tapetum
