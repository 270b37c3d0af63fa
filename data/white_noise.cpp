#include "data/white_noise.h"

#include <cmath>
#include <numbers>

namespace tapetum::data {

// Box and Muller (1958), both values of each pair; 1 - u keeps the logarithm's argument above zero.
void fill_normal(RandomStream& stream, float* to, size_t count) {
  const auto uniform = [&] { return static_cast<float>(stream.bits() >> 8) * 0x1p-24f; };
  for (size_t i = 0; i < count; i += 2) {
    const float radius = std::sqrt(-2 * std::log(1 - uniform())), angle = 2 * std::numbers::pi_v<float> * uniform();
    to[i] = radius * std::cos(angle);
    if (i + 1 < count) to[i + 1] = radius * std::sin(angle);
  }
}

}  // namespace tapetum::data
