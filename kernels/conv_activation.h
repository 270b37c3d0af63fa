// What a convolution or a norm may do to its results before they are stored.
#pragma once
#include <cstdint>

namespace tapetum {

enum class ConvActivation : int64_t { none, relu, silu };

constexpr const char* name_of(ConvActivation a) {
  constexpr const char* names[] = {"none", "relu", "silu"};
  return names[static_cast<int>(a)];
}

// f.template operator()<A>() with an activation that the compiler knows. (constexpr: device code may call it.)
template <class F> constexpr auto with_activation(ConvActivation a, F f) {
  if (a == ConvActivation::relu) return f.template operator()<ConvActivation::relu>();
  return a == ConvActivation::silu ? f.template operator()<ConvActivation::silu>() : f.template operator()<ConvActivation::none>();
}

}  // namespace tapetum
